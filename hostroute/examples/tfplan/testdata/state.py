"""Writes the state in which the subnets and networks of a plan exist, and its host routes do not."""
import json
import sys

SUBNET, NETWORK = "openstack_networking_subnet_v2", "openstack_networking_network_v2"
COMPUTED = {
    SUBNET: dict(
        all_tags=[], tags=[], allocation_pool=[], service_types=[], dns_nameservers=[],
        network_id="00000000-0000-4000-8000-000000000000", ipv6_address_mode="", ipv6_ra_mode=""),
    NETWORK: dict(
        all_tags=[], tags=[], availability_zone_hints=[], segments=[], admin_state_up=True, external=False, shared=False,
        dns_domain="", mtu=1500, port_security_enabled=True, qos_policy_id="", transparent_vlan=False),
}

resources = {}
changes = [c for c in json.load(open(sys.argv[1]))["resource_changes"] if c["type"] in COMPUTED]
changes.sort(key=lambda c: c["type"] != NETWORK)  # so that the network has the first ID
for number, change in enumerate(changes):
    values = dict(change["change"]["after"], id="%08d-0000-4000-8000-000000000000" % number, region="", tenant_id="")
    values.update(COMPUTED[change["type"]])
    if change["type"] == SUBNET:
        values["gateway_ip"] = values["cidr"].replace(".0/24", ".1")
    instance = {"schema_version": 0, "attributes": values}
    if "index" in change:
        instance["index_key"] = change["index"]
    resource = {"mode": "managed", "type": change["type"], "name": change["name"],
                "provider": 'provider["%s"]' % change["provider_name"], "instances": []}
    if "module_address" in change:
        resource["module"] = change["module_address"]
    key = (change.get("module_address"), change["type"], change["name"])
    resources.setdefault(key, resource)["instances"].append(instance)

json.dump({"version": 4, "terraform_version": "1.10.6", "serial": 1, "lineage": "0e4a2f66-7d0f-4b0b-9d63-6a1f1f0c9e02",
           "outputs": {}, "resources": list(resources.values())}, sys.stdout)
