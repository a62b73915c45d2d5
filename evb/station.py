"""What lldpad is told so that it is the station of one form: the text of its lldpad.conf.

It has to be there before lldpad starts. lldptool(8) sets the same while it runs, but by then lldpad's module for the
standard has claimed the interface, and the draft's answers no more.
"""

from evb.frames import Form

# The exponents are those of lldp.OUR_RATIFIED; of the two sides' the larger one holds.
_SETTINGS = {
    Form.DRAFT: """
      tlvid001b3f00 : { enableTx = true; fmode = "reflectiverelay"; capabilities = "rte,ecp,vdp"; };
      vdp : { enableTx = true; };""",
    Form.RATIFIED: """
      tlvid0080c20d : { enableTx = true; evbmode = "station"; evbrrreq = true; evbgpid = false;
                        ecpretries = 3; ecprte = 10; vdprwd = 18; vdprka = 19; };""",
}


def lldpad_conf(form: Form, *uplinks: str) -> str:
    """The text with which it speaks that form on each of the uplinks, and nothing on any other interface."""
    told = "\n".join(f"    {uplink} : {{ adminStatus = 3;{_SETTINGS[form]} }};" for uplink in uplinks)
    return f'nearest_customer_bridge : {{\n{told}\n}};\ndcbx : {{ version = "1.0"; dcbx_version = 2; }};\n'
