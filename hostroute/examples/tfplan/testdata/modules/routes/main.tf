terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "subnet_id" {
  type = string
}

variable "subnets" {
  type = list(string)
}

resource "openstack_networking_subnet_route_v2" "one" {
  subnet_id        = var.subnet_id
  destination_cidr = "11.17.0.0/16"
  next_hop         = "10.70.0.1"
}

resource "openstack_networking_subnet_route_v2" "each" {
  count            = 2
  subnet_id        = var.subnets[count.index]
  destination_cidr = "11.18.0.0/16"
  next_hop         = "10.70.${count.index}.9"
}
