# Flattens a JSON document to lines "path<TAB>value", such as "networks.0.ip_address<TAB>192.0.2.5", for a shell to read.
# busybox awk is all that the guest has. Escapes inside strings stay as they are: addresses have none.

{ text = text $0 " " }

END { at = 1; value("") }

function value(path,    c) {
    c = next_token()
    if (c == "{") members(path)
    else if (c == "[") items(path)
    else print path "\t" unquoted(c)
}

function members(path,    key) {
    while ((key = next_token()) != "}") {
        if (key == "") exit 1
        if (key == ",") continue
        next_token()    # the colon
        value(joined(path, unquoted(key)))
    }
}

function items(path,    i, c, before) {
    i = 0
    for (;;) {
        before = at
        c = next_token()
        if (c == "]") return
        if (c == "") exit 1
        if (c == ",") continue
        at = before
        value(joined(path, i++))
    }
}

function joined(path, name) { return path == "" ? name : path "." name }

function unquoted(token) { return token ~ /^"/ ? substr(token, 2, length(token) - 2) : token }

function next_token(    rest, token) {
    rest = substr(text, at)
    match(rest, /^[ \t\r\n]*/)
    at += RLENGTH
    rest = substr(rest, RLENGTH + 1)
    if (match(rest, /^("([^"\\]|\\.)*"|[][{},:]|[^][{},: \t\r\n]+)/)) {
        token = substr(rest, 1, RLENGTH)
        at += RLENGTH
        return token
    }
    return ""
}
