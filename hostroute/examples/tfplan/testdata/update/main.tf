# What exists is in terraform.tfstate: subnets and routes that stay, change, move and go. ../README.md says how plan.json was
# made.

terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

provider "openstack" {
  auth_url = "http://127.0.0.1:1/v3" # never asked: -refresh=false
}

# Nothing changes here, but a route is new, one stays, and one goes: 11.12.0.0/16 is in the state only.
resource "openstack_networking_subnet_v2" "front" {
  network_id = "5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f001"
  name       = "front"
  cidr       = "10.65.0.0/24"
}

resource "openstack_networking_subnet_route_v2" "new" {
  subnet_id        = openstack_networking_subnet_v2.front.id
  destination_cidr = "11.11.0.0/16"
  next_hop         = "10.65.0.77"
}

resource "openstack_networking_subnet_route_v2" "stays" {
  subnet_id        = openstack_networking_subnet_v2.front.id
  destination_cidr = "11.13.0.0/16"
  next_hop         = openstack_networking_subnet_v2.front.gateway_ip
}

# DHCP goes, and with it the way by which the route arrives.
resource "openstack_networking_subnet_v2" "dhcp" {
  network_id  = "5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f002"
  name        = "dhcp"
  cidr        = "10.66.0.0/24"
  enable_dhcp = false
}

resource "openstack_networking_subnet_route_v2" "dhcp" {
  subnet_id        = openstack_networking_subnet_v2.dhcp.id
  destination_cidr = "11.11.0.0/16"
  next_hop         = "10.66.0.1"
}

# The gateway goes: the state has 10.67.0.1.
resource "openstack_networking_subnet_v2" "gateway" {
  network_id = "5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f003"
  name       = "gateway"
  cidr       = "10.67.0.0/24"
  no_gateway = true
}

# It had no gateway. That the configuration says nothing of one now changes nothing: the provider asks for none.
resource "openstack_networking_subnet_v2" "still_none" {
  network_id = "5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f004"
  name       = "still_none"
  cidr       = "10.68.0.0/24"
}

# Another CIDR: the subnet is replaced, and its gateway is chosen anew. It moved, too.
resource "openstack_networking_subnet_v2" "replaced" {
  network_id = "5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f005"
  name       = "replaced"
  cidr       = "10.70.0.0/24"
}

moved {
  from = openstack_networking_subnet_v2.old_name
  to   = openstack_networking_subnet_v2.replaced
}

resource "openstack_networking_subnet_route_v2" "replaced" {
  subnet_id        = openstack_networking_subnet_v2.replaced.id
  destination_cidr = "11.11.0.0/16"
  next_hop         = "10.69.0.1" # the gateway of the old CIDR
}
