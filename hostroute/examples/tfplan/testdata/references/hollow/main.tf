terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "create" {
  type = bool
}

variable "subnet_id" {
  type = string
}

resource "openstack_networking_network_v2" "this" {
  count = var.create ? 1 : 0
  name  = "hollow"
}

output "subnet_id" {
  value = var.subnet_id
}
