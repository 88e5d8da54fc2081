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

resource "openstack_networking_subnet_v2" "this" {
  count      = 2
  network_id = var.network
  cidr       = "10.9.${10 * var.number + count.index}.0/24"
}

output "ids" {
  value = openstack_networking_subnet_v2.this[*].id
}
