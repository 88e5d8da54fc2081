terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "network" {
  type = string
}

resource "openstack_networking_subnet_v2" "first" {
  network_id = var.network
  cidr       = "10.10.1.0/24"
}

resource "openstack_networking_subnet_v2" "second" {
  network_id = var.network
  cidr       = "10.10.2.0/24"
}

output "subnet" {
  value = openstack_networking_subnet_v2.first
}

output "id" {
  value = openstack_networking_subnet_v2.second.id
}
