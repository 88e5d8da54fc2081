# Subnets that another configuration made: data sources read them. cloud.py answers for Keystone and Neutron.

terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

provider "openstack" {
  auth_url    = "http://127.0.0.1:35357/v3"
  user_name   = "nobody"
  password    = "nothing"
  tenant_name = "none"
  domain_name = "Default"
}

data "openstack_networking_subnet_v2" "front" {
  name = "front"
}

resource "openstack_networking_subnet_route_v2" "neighbour" {
  subnet_id        = data.openstack_networking_subnet_v2.front.id
  destination_cidr = "11.11.0.0/16"
  next_hop         = "10.65.0.77"
}

resource "openstack_networking_subnet_route_v2" "good" {
  subnet_id        = data.openstack_networking_subnet_v2.front.id
  destination_cidr = "11.12.0.0/16"
  next_hop         = data.openstack_networking_subnet_v2.front.gateway_ip
}

# A module reads another one, without a gateway.
module "shared" {
  source = "./shared"
}

resource "openstack_networking_subnet_route_v2" "back" {
  subnet_id        = module.shared.id
  destination_cidr = "11.13.0.0/16"
  next_hop         = "10.66.0.1"
}

# Nothing is said about a subnet without a host route in this plan.
data "openstack_networking_subnet_v2" "unused" {
  name = "unused"
}

# It is not read before the apply, and so is not known.
resource "openstack_networking_network_v2" "new" {
  name = "new"
}

data "openstack_networking_subnet_v2" "later" {
  network_id = openstack_networking_network_v2.new.id
}

resource "openstack_networking_subnet_route_v2" "later" {
  subnet_id        = data.openstack_networking_subnet_v2.later.id
  destination_cidr = "11.14.0.0/16"
  next_hop         = "10.68.0.77"
}
