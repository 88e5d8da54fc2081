terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "network" {
  type = string
}

variable "number" {
  type = number
}

module "inner" {
  source  = "../inner"
  network = var.network
  number  = var.number
}

resource "openstack_networking_subnet_v2" "own" {
  count      = 2
  network_id = var.network
  cidr       = "10.7.${10 * var.number + count.index}.0/24"
}

resource "openstack_networking_subnet_v2" "named" {
  for_each   = { r = 1, s = 2 }
  network_id = var.network
  cidr       = "10.8.${10 * var.number + each.value}.0/24"
}

output "inner_id" {
  value = module.inner.id
}

output "own_ids" {
  value = openstack_networking_subnet_v2.own[*].id
}

output "named_ids" {
  value = { for key, subnet in openstack_networking_subnet_v2.named : key => subnet.id }
}
