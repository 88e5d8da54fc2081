terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "cidr" {
  type = string
}

variable "gateway" {
  type    = string
  default = null # so Neutron chooses it
}

resource "openstack_networking_network_v2" "this" {
  name = "net"
}

resource "openstack_networking_subnet_v2" "this" {
  network_id = openstack_networking_network_v2.this.id
  cidr       = var.cidr
  gateway_ip = var.gateway
}

resource "openstack_networking_subnet_v2" "v6" {
  count      = 1
  network_id = openstack_networking_network_v2.this.id
  cidr       = "2001:db8::/64"
  ip_version = 6
}

resource "openstack_networking_subnet_route_v2" "v6" {
  subnet_id        = one(openstack_networking_subnet_v2.v6[*].id)
  destination_cidr = "2001:db8:1::/48"
  next_hop         = "2001:db8::1"
}

resource "openstack_networking_subnet_route_v2" "this" {
  for_each         = toset(["13.0.0.0/16", "13.1.1.0/16"]) # the second has host bits
  subnet_id        = openstack_networking_subnet_v2.this.id
  destination_cidr = each.value
  next_hop         = cidrhost(var.cidr, 1)
}

output "subnet_id" {
  value = openstack_networking_subnet_v2.this.id
}

output "network_id" {
  value = openstack_networking_network_v2.this.id
}

output "network_name" {
  value = openstack_networking_network_v2.this.name
}

output "gateway" {
  value = openstack_networking_subnet_v2.this.gateway_ip
}

output "cidr" {
  value = var.cidr
}
