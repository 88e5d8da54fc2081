# Host routes in the subnet's own resource, as releases of the provider before 3.0 have them (deprecated). plan.json is written by
# hand after the documented format, because those releases could not be built: what `terraform show -json` would print, as far as
# the program reads it.

resource "openstack_networking_port_v2" "router" {
  network_id = "5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f001"
}

resource "openstack_networking_subnet_v2" "back" {
  network_id = "5b0c3a9e-2f6b-4a55-9a3c-0d8a54d9f001"
  cidr       = "11.8.0.0/24"

  host_routes {
    destination_cidr = "11.11.0.0/16"
    next_hop         = "11.8.0.1"
  }
  host_routes {
    destination_cidr = "11.12.0.0/16"
    next_hop         = "11.8.0.77"
  }
  host_routes {
    destination_cidr = "11.13.0.0/16"
    next_hop         = openstack_networking_port_v2.router.all_fixed_ips[0]
  }
}

# The host route is in both resources.
resource "openstack_networking_subnet_route_v2" "back" {
  subnet_id        = openstack_networking_subnet_v2.back.id
  destination_cidr = "11.12.0.0/16"
  next_hop         = "11.8.0.77"
}
