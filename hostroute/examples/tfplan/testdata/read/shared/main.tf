terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

data "openstack_networking_subnet_v2" "back" {
  name = "back"
}

output "id" {
  value = data.openstack_networking_subnet_v2.back.id
}
