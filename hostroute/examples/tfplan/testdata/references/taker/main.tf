terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "id" {
  type = string
}

variable "object" {
  type = object({ subnet_id = string, network_id = string })
}

variable "whole" {
  type = any
}

variable "all" {
  type = any
}

variable "ids" {
  type = map(string)
}

variable "numbers" {
  type = list(string)
}

variable "nested" {
  type = map(string)
}

variable "swapped" {
  type = map(string)
}

variable "rows" {
  type = any
}

variable "both" {
  type = any
}

variable "deep" {
  type = any
}

variable "mixed" {
  type = map(string)
}

variable "flat" {
  type = map(string)
}

resource "openstack_networking_subnet_route_v2" "id" {
  subnet_id        = var.id
  destination_cidr = "12.0.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "object" {
  subnet_id        = var.object.subnet_id
  destination_cidr = "12.1.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "whole" {
  subnet_id        = var.whole.id
  destination_cidr = "12.2.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "all_literal" {
  subnet_id        = var.all["a-x"].id
  destination_cidr = "12.3.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "all_key" {
  for_each         = toset(["a", "b"])
  subnet_id        = var.all[each.key].id
  destination_cidr = "12.4.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "ids_literal" {
  subnet_id        = var.ids["a\nb"]
  destination_cidr = "12.5.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "ids_key" {
  for_each         = toset(["a", "b"])
  subnet_id        = var.ids[each.key]
  destination_cidr = "12.6.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "numbers_count" {
  count            = 2
  subnet_id        = var.numbers[count.index]
  destination_cidr = "12.7.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "nested_key" {
  for_each         = toset(["r", "s"])
  subnet_id        = var.nested[each.key]
  destination_cidr = "12.8.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "swapped" {
  subnet_id        = var.swapped["a"]
  destination_cidr = "12.9.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "chained" {
  for_each         = var.ids
  subnet_id        = each.value
  destination_cidr = "12.10.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "rows" {
  subnet_id        = var.rows["q"].ids[1]
  destination_cidr = "13.0.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "deep" {
  subnet_id        = var.deep.subnet.id
  destination_cidr = "13.1.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "mixed" {
  for_each         = toset(["a", "b"])
  subnet_id        = var.mixed[each.key]
  destination_cidr = "13.2.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "flat" {
  for_each         = toset(["a", "b"])
  subnet_id        = var.flat[each.key]
  destination_cidr = "13.3.0.0/16"
  next_hop         = "10.0.0.1"
}

# The module has an output id, too.
resource "openstack_networking_subnet_route_v2" "both" {
  subnet_id        = var.both.subnet.id
  destination_cidr = "13.4.0.0/16"
  next_hop         = "10.0.0.1"
}

module "leaf" {
  source = "../leaf"
  subnet = var.deep.subnet
}
