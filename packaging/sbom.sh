#!/usr/bin/env bash
# Prints an SBOM in CycloneDX 1.5 format: every crate that is compiled into the program or used to build it, with its
# license and the checksum of its source. The data is from cargo and Cargo.lock.
#
#   packaging/sbom.sh TARGET VERSION
set -euo pipefail
cd "$(dirname "$0")/.."

checksums() {
	awk -F '"' '/^name = /{name=$2} /^version = /{version=$2} /^checksum = /{print name, version, $2}' Cargo.lock
}

crates() {
	cargo tree --locked --package caleida --edges normal,build --target "$1" --prefix none --format '{p}|{l}' |
		sed -e 's/ (\*)$//' -e 's/ (proc-macro)//' | sort -u
}

crates "$1" | awk -F '|' -v version="$2" -v checksums=<(checksums) '
	function escaped(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return text }
	BEGIN {
		while ((getline line < checksums) > 0) { split(line, part, " "); sha[part[1] " " part[2]] = part[3] }
		print "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,"
		print "\"metadata\":{\"component\":{\"type\":\"application\",\"name\":\"caleida\",\"version\":\"" version "\","
		print "\"licenses\":[{\"expression\":\"MIT OR Apache-2.0\"}]}},\"components\":["
	}
	{
		split($1, part, " "); name = part[1]; number = substr(part[2], 2)
		if (name == "caleida" || seen[name " " number]++) next
		gsub(/\//, " OR ", $2)
		printf "%s{\"type\":\"library\",\"name\":\"%s\",\"version\":\"%s\",\"purl\":\"pkg:cargo/%s@%s\"", comma, name, number, name, number
		if (sha[name " " number]) printf ",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"%s\"}]", sha[name " " number]
		if ($2 != "") printf ",\"licenses\":[{\"expression\":\"%s\"}]", escaped($2)
		printf "}"; comma = ",\n"
	}
	END { print "]}" }'
