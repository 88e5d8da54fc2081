# Ways in which a host route refers to its subnet. plan.json is the plan while nothing exists, so that the IDs of subnets are
# unknown. subnets.json has the subnet of each host route, as Terraform evaluates it once the subnets exist; the test compares
# what the program finds out from plan.json with it. ../README.md says how both were made.

terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

provider "openstack" {
  auth_url = "http://127.0.0.1:1/v3"
}

variable "zone" {
  type    = string
  default = "b"
}

variable "create" {
  type    = bool
  default = true
}

variable "routes" {
  type = map(object({ zone = string }))
  default = {
    a = { zone = "b" } # the key of the route is also one of a subnet, and another
    x = { zone = "a" }
  }
}

resource "openstack_networking_network_v2" "n" {
  name = "n"
}

resource "openstack_networking_subnet_v2" "one" {
  network_id = openstack_networking_network_v2.n.id
  cidr       = "10.1.0.0/24"
}

resource "openstack_networking_subnet_v2" "two" {
  network_id = openstack_networking_network_v2.n.id
  cidr       = "10.2.0.0/24"
}

resource "openstack_networking_subnet_v2" "maybe" {
  count      = var.create ? 1 : 0
  network_id = openstack_networking_network_v2.n.id
  cidr       = "10.3.0.0/24"
}

resource "openstack_networking_subnet_v2" "zone" {
  for_each   = { a = 1, b = 2, "a-x" = 3, "a\nb" = 4 }
  network_id = openstack_networking_network_v2.n.id
  cidr       = "10.4.${each.value}.0/24"
}

resource "openstack_networking_subnet_v2" "number" {
  count      = 3
  network_id = openstack_networking_network_v2.n.id
  cidr       = "10.5.${count.index}.0/24"
}

module "outer" {
  source   = "./outer"
  for_each = toset(["p", "q"])
  network  = openstack_networking_network_v2.n.id
  number   = index(["p", "q"], each.key)
}

module "counted" {
  source  = "./inner"
  count   = 2
  network = openstack_networking_network_v2.n.id
  number  = 20 + count.index
}

# The routes. Their names say how they refer to the subnet.

resource "openstack_networking_subnet_route_v2" "direct" {
  subnet_id        = openstack_networking_subnet_v2.one.id
  destination_cidr = "11.0.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "in_functions" {
  subnet_id        = try(trimspace(openstack_networking_subnet_v2.one.id), "")
  destination_cidr = "11.1.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "literal_key" {
  subnet_id        = openstack_networking_subnet_v2.zone["a\nb"].id
  destination_cidr = "11.2.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "literal_index" {
  subnet_id        = openstack_networking_subnet_v2.number[2].id
  destination_cidr = "11.3.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "each_key" {
  for_each         = toset(["a", "b", "a\nb"])
  subnet_id        = openstack_networking_subnet_v2.zone[each.key].id
  destination_cidr = "11.4.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "count_index" {
  count            = 3
  subnet_id        = openstack_networking_subnet_v2.number[count.index].id
  destination_cidr = "11.5.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "variable_key" {
  subnet_id        = openstack_networking_subnet_v2.zone[var.zone].id
  destination_cidr = "11.6.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "each_value_key" {
  for_each         = var.routes
  subnet_id        = openstack_networking_subnet_v2.zone[each.value.zone].id
  destination_cidr = "11.7.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "constant_value_key" {
  for_each         = { b = "a", a = "a-x" }
  subnet_id        = openstack_networking_subnet_v2.zone[each.value].id
  destination_cidr = "11.8.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "chained" {
  for_each         = openstack_networking_subnet_v2.zone
  subnet_id        = each.value.id
  destination_cidr = "11.9.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "map_of_ids" {
  for_each         = { one = openstack_networking_subnet_v2.one.id, two = openstack_networking_subnet_v2.two.id }
  subnet_id        = each.value # either
  destination_cidr = "11.10.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "made_key" {
  for_each         = toset(["a"])
  subnet_id        = openstack_networking_subnet_v2.zone["${each.key}-${var.create ? "x" : "y"}"].id
  destination_cidr = "11.11.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "same_twice" {
  for_each         = toset(["b"])
  subnet_id        = each.key == "a" ? openstack_networking_subnet_v2.zone["a"].id : openstack_networking_subnet_v2.zone[each.key].id
  destination_cidr = "11.12.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "one_splat" {
  subnet_id        = one(openstack_networking_subnet_v2.maybe[*].id)
  destination_cidr = "11.13.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "element_splat" {
  subnet_id        = element(openstack_networking_subnet_v2.number[*].id, 1)
  destination_cidr = "11.14.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "created_if" {
  subnet_id        = var.create ? openstack_networking_subnet_v2.maybe[0].id : null
  destination_cidr = "11.15.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "known_condition" {
  subnet_id        = openstack_networking_network_v2.n.name == "n" ? openstack_networking_subnet_v2.two.id : null
  destination_cidr = "11.19.0.0/16"
  next_hop         = "10.0.0.1"
}

locals {
  subnet = openstack_networking_subnet_v2.two.id
}

resource "openstack_networking_subnet_route_v2" "local" {
  subnet_id        = local.subnet
  destination_cidr = "11.16.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "local_or" {
  subnet_id        = coalesce(local.subnet, openstack_networking_subnet_v2.one.id)
  destination_cidr = "11.17.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "terraform_data" "copy" {
  input = openstack_networking_subnet_v2.two.id
}

resource "openstack_networking_subnet_route_v2" "through_data" {
  subnet_id        = coalesce(terraform_data.copy.output, openstack_networking_subnet_v2.one.id)
  destination_cidr = "11.18.0.0/16"
  next_hop         = "10.0.0.1"
}

# Through modules.

resource "openstack_networking_subnet_route_v2" "output" {
  subnet_id        = module.outer["q"].inner_id
  destination_cidr = "11.20.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "output_key" {
  for_each         = module.outer
  subnet_id        = module.outer[each.key].inner_id # either output
  destination_cidr = "11.21.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "output_list" {
  subnet_id        = module.outer["p"].own_ids[1]
  destination_cidr = "11.22.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "output_map" {
  for_each         = toset(["r", "s"])
  subnet_id        = module.outer["p"].named_ids[each.key]
  destination_cidr = "11.23.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "counted" {
  count            = 2
  subnet_id        = module.counted[count.index].id
  destination_cidr = "11.24.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "two_each" {
  count            = 6
  subnet_id        = openstack_networking_subnet_v2.number[floor(count.index / 2)].id # the index is not count.index
  destination_cidr = "11.3${count.index}.0.0/16"
  next_hop         = "10.0.0.1"
}

resource "openstack_networking_subnet_route_v2" "counted_reversed" {
  count            = 2
  subnet_id        = reverse(module.counted[*].id)[count.index] # the other way round
  destination_cidr = "11.25.0.0/16"
  next_hop         = "10.0.0.1"
}

# The instance b has no resources.
module "hollow" {
  source    = "./hollow"
  for_each  = { a = true, b = false }
  create    = each.value
  subnet_id = openstack_networking_subnet_v2.zone[each.key].id
}

resource "openstack_networking_subnet_route_v2" "hollow" {
  for_each         = toset(["b"])
  subnet_id        = module.hollow[each.key].subnet_id
  destination_cidr = "11.26.0.0/16"
  next_hop         = "10.0.0.1"
}

module "rows" {
  source   = "./rows"
  for_each = { p = 1, q = 2 }
  network  = openstack_networking_network_v2.n.id
  number   = each.value
}

module "both" {
  source  = "./both"
  network = openstack_networking_network_v2.n.id
}

module "taker" {
  source   = "./taker"
  for_each = { a = "b", b = "a" }
  id       = openstack_networking_subnet_v2.zone[each.value].id
  object   = { subnet_id = openstack_networking_subnet_v2.one.id, network_id = openstack_networking_network_v2.n.id }
  whole    = openstack_networking_subnet_v2.zone[each.key]
  all      = openstack_networking_subnet_v2.zone
  ids      = { for key, subnet in openstack_networking_subnet_v2.zone : key => subnet.id }
  numbers  = openstack_networking_subnet_v2.number[*].id
  nested   = module.outer["q"].named_ids
  rows     = module.rows
  both     = module.both
  deep     = { subnet = openstack_networking_subnet_v2.one }
  mixed    = { for key in ["a", "b"] : key => openstack_networking_subnet_v2.zone[openstack_networking_network_v2.n.id == "" ? "a" : "b"].id }
  flat     = { for key in ["a", "b"] : key => openstack_networking_subnet_v2.zone[var.create ? var.zone : "a"].id }
  swapped  = { a = openstack_networking_subnet_v2.zone["b"].id, b = openstack_networking_subnet_v2.zone["a"].id }
}
