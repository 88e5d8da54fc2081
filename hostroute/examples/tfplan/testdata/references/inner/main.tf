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
  network_id = var.network
  cidr       = "10.6.${var.number}.0/24"
}

output "id" {
  value = openstack_networking_subnet_v2.this.id
}

output "network" {
  value = var.network
}
