"""Answers for Keystone and Neutron as far as the data sources of read/main.tf ask, on port 35357."""
import http.server
import json
import urllib.parse

HERE = "http://127.0.0.1:35357"
SUBNETS = [
    dict(id="00000001-0000-4000-8000-000000000000", name="front", cidr="10.65.0.0/24", gateway_ip="10.65.0.1",
         host_routes=[dict(destination="11.15.0.0/16", nexthop="10.65.0.66")]),
    dict(id="00000002-0000-4000-8000-000000000000", name="back", cidr="10.66.0.0/24", gateway_ip=None),
    dict(id="00000003-0000-4000-8000-000000000000", name="unused", cidr="10.67.0.0/24", gateway_ip=None),
]
ALWAYS = dict(ip_version=4, enable_dhcp=True, network_id="5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f001", tenant_id="", host_routes=[],
              dns_nameservers=[], allocation_pools=[], tags=[])
TOKEN = dict(token=dict(
    methods=["password"], expires_at="2100-01-01T00:00:00.000000Z", user=dict(id="u", name="nobody", domain=dict(id="default", name="Default")),
    project=dict(id="p", name="none", domain=dict(id="default", name="Default")),
    catalog=[dict(type="network", name="neutron", id="n", endpoints=[
        dict(id=i, interface=i, region="R", region_id="R", url=HERE) for i in ("public", "internal", "admin")])]))


class Cloud(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, **headers):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers, Content_Type="application/json", Content_Length=len(text)).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, TOKEN, X_Subject_Token="token")

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/v2.0/subnets":
            asked = urllib.parse.parse_qs(url.query)
            self.answer(200, dict(subnets=[dict(ALWAYS, **s) for s in SUBNETS if s["name"] in asked.get("name", [])]))
        else:
            self.answer(200, dict(version=dict(id="v3", status="stable", links=[dict(rel="self", href=HERE + "/v3")])))

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", 35357), Cloud).serve_forever()
