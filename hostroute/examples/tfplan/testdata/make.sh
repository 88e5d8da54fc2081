#!/bin/sh
# Makes the plans again; README.md says what it needs. The argument is the folder that the provider is in.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/cli.tfrc" <<END
provider_installation {
  dev_overrides { "terraform-provider-openstack/openstack" = "$1" }
  direct {}
}
END
export TF_CLI_CONFIG_FILE="$work/cli.tfrc" CHECKPOINT_DISABLE=1

# plan TOOL FOLDER FILE [STATE]
plan() {
	rm -rf "$work/plan" && cp -r "$here/$2" "$work/plan" && cd "$work/plan"
	[ $# = 3 ] || cp "$4" terraform.tfstate
	"$1" get >/dev/null
	"$1" plan -refresh=false -out=plan >/dev/null
	"$1" show -json plan >"$3"
	cd "$here"
}
plan tofu modules "$here/modules/plan.json"
python3 cloud.py & # data sources are read all the same
trap 'kill $!; rm -rf "$work"' EXIT
plan terraform read "$here/read/plan.json"
plan terraform update "$here/update/plan.json"
plan tofu references "$here/references/plan.json"
python3 state.py references/plan.json >"$work/state"
plan tofu references "$work/known.json" "$work/state"
python3 truth.py "$work/known.json" >references/subnets.json
