"""Prints the address of the subnet that each host route of a plan is on, "" where the plan does not know it."""
import json
import sys

changes = json.load(open(sys.argv[1]))["resource_changes"]
values = {c["address"]: c["change"]["after"] for c in changes if c["change"]["after"]}
subnets = {v["id"]: a for a, v in values.items() if ".openstack_networking_subnet_v2." in "." + a and "id" in v}
routes = {a: subnets.get(v.get("subnet_id"), "") for a, v in values.items() if ".openstack_networking_subnet_route_v2." in "." + a}
json.dump(routes, sys.stdout, indent=1)
print()
