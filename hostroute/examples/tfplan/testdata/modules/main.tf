# Networks of a module, with for_each and count; host routes inside the module and outside. The IDs of all are unknown
# while nothing is applied. ../README.md says how plan.json was made.

terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

provider "openstack" {
  auth_url = "http://127.0.0.1:1/v3" # never asked: all is new
}

variable "routers" {
  type = map(object({ net = string, destination = string }))
  default = {
    lab    = { net = "back", destination = "11.12.0.0/16" }
    office = { net = "line\n\"two\"", destination = "11.13.0.0/16" }
  }
}

module "net" {
  for_each = {
    "back"          = "11.8.0.0/24"
    "line\n\"two\"" = "11.9.0.0/24" # a name that could forge output
  }
  source = "./net"
  cidr   = each.value
}

# The next hop is a router on the subnet. The key of the module is that of the route.
resource "openstack_networking_subnet_route_v2" "router" {
  for_each         = module.net
  subnet_id        = module.net[each.key].subnet_id
  destination_cidr = "11.11.0.0/16"
  next_hop         = cidrhost(each.value.cidr, 77)
}

# The key of the module is a value of a variable, so the program does not know which one it is.
resource "openstack_networking_subnet_route_v2" "by_value" {
  for_each         = var.routers
  subnet_id        = module.net[each.value.net].subnet_id
  destination_cidr = each.value.destination
  next_hop         = "10.99.0.1"
}

resource "openstack_networking_network_v2" "plain" {
  name = "plain"
}

resource "openstack_networking_subnet_v2" "plain" {
  count      = 2
  network_id = openstack_networking_network_v2.plain.id
  cidr       = "10.70.${count.index}.0/24"
}

# The next hop is the gateway that Neutron chooses for the first subnet. The program does not know indices with count.
resource "openstack_networking_subnet_route_v2" "gateway" {
  count            = 2
  subnet_id        = openstack_networking_subnet_v2.plain[count.index].id
  destination_cidr = "12.0.0.0/8"
  next_hop         = openstack_networking_subnet_v2.plain[0].gateway_ip
}

# Another subnet's next hop, on the subnet of a literal index, through a module.
module "routes" {
  source    = "./routes"
  subnet_id = openstack_networking_subnet_v2.plain[1].id
  subnets   = openstack_networking_subnet_v2.plain[*].id
}

# No gateway.
resource "openstack_networking_subnet_v2" "none" {
  network_id = openstack_networking_network_v2.plain.id
  cidr       = "10.71.0.0/24"
  no_gateway = true
}

# The CIDR comes from a pool, so it is unknown.
resource "openstack_networking_subnet_v2" "pool" {
  network_id    = openstack_networking_network_v2.plain.id
  subnetpool_id = "9d1a2f6c-5c1e-4b53-a6b0-6c0f8a0c2a01"
  prefix_length = 24
}

resource "openstack_networking_subnet_route_v2" "pool" {
  subnet_id        = openstack_networking_subnet_v2.pool.id
  destination_cidr = "11.11.0.0/16"
  next_hop         = "10.72.0.1"
}

# The gateway is a port's address, so it is unknown, and not Neutron's default.
resource "openstack_networking_port_v2" "router" {
  network_id = openstack_networking_network_v2.plain.id
}

resource "openstack_networking_subnet_v2" "port" {
  network_id = openstack_networking_network_v2.plain.id
  cidr       = "10.73.0.0/24"
  gateway_ip = openstack_networking_port_v2.router.all_fixed_ips[0]
}

resource "openstack_networking_subnet_route_v2" "port" {
  subnet_id        = openstack_networking_subnet_v2.plain[0].id
  destination_cidr = "11.14.0.0/16"
  next_hop         = openstack_networking_port_v2.router.all_fixed_ips[0]
}

# Either subnet: the plan does not say which.
resource "openstack_networking_subnet_route_v2" "either" {
  subnet_id        = openstack_networking_port_v2.router.admin_state_up ? openstack_networking_subnet_v2.plain[0].id : openstack_networking_subnet_v2.none.id
  destination_cidr = "11.15.0.0/16"
  next_hop         = "10.70.0.1"
}

# A subnet that this configuration does not have.
resource "openstack_networking_subnet_route_v2" "elsewhere" {
  subnet_id        = "0c6d5a2e-91f4-4a0f-8f37-5b1f3b0b4c11"
  destination_cidr = "11.16.0.0/16"
  next_hop         = "10.74.0.1"
}
