terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "subnet" {
  type = any
}

resource "openstack_networking_subnet_route_v2" "leaf" {
  subnet_id        = var.subnet.id
  destination_cidr = "13.5.0.0/16"
  next_hop         = "10.0.0.1"
}
