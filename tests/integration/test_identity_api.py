"""What clients ask for to log in."""


def test_the_version_document_serves_clients_without_login(site):
    values = site.get("/identity")["versions"]["values"]
    assert values[0]["id"] == "v3.14"
    assert values[0]["links"] == [{"rel": "self", "href": "http://site/identity/v3/"}]
    assert site.get("/identity/v3/")["version"] == values[0]


def test_a_token_comes_with_the_catalog(site):
    answer = site.request("POST", "/identity/v3/auth/tokens", json={"auth": {"identity": {}}})
    assert answer.status_code == 201
    token = answer.json()["token"]
    urls = {s["type"]: s["endpoints"][0]["url"] for s in token["catalog"]}
    assert urls["network"] == "http://site/network"
    assert len(token["project"]["id"]) == 32
    headers = {"x-subject-token": answer.headers["x-subject-token"]}
    assert site.get("/identity/v3/auth/tokens", headers=headers)["token"]["user"] == token["user"]
    site.get("/identity/v3/auth/tokens", 404)
    site.get(f"/identity/v3/projects/{token['project']['id']}")
    site.get("/identity/v3/projects/other", 404)
    for body in ([], {}, {"auth": 1}):
        site.post("/identity/v3/auth/tokens", body, 400)


def test_the_catalog_follows_the_address_that_the_client_used(site):
    answer = site.request("GET", "/identity/v3", headers={"host": "localhost:1234"})
    assert answer.json()["version"]["links"][0]["href"] == "http://localhost:1234/identity/v3/"
    for stranger in ("control.example:9696", "[::1"):
        assert site.request("GET", "/identity/v3", headers={"host": stranger}).status_code == 403
