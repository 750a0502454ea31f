#!/usr/bin/env bash
# Packs the output of `make build` into target/dist/caleida-VERSION-TARGET.tar.zst, with a checksum file.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
target=$(rustc -vV | sed -n 's/^host: //p')
name=caleida-$version-$target
folder=target/dist/$name
# A fixed time makes the archive reproducible.
mtime=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

rm -rf target/dist
mkdir -p "$folder/docs"
cp "${CALEIDA_BIN:-target/release/caleida}" "$folder/caleida"
cp -r target/site "$folder/site"
cp README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT packaging/caleida.service "$folder/"
cp docs/operations.md docs/grafana.json docs/dashboard.png "$folder/docs/"
packaging/sbom.sh "$target" "$version" >"$folder/sbom.cdx.json"

archive=target/dist/$name.tar.zst
tar --sort=name --mtime="@$mtime" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -C target/dist -cf - "$name" |
	zstd -19 --threads=0 --quiet -o "$archive"
(cd target/dist && sha256sum "$name.tar.zst" >"$name.tar.zst.sha256")
rm -rf "$folder"
packaging/try.sh "$archive"
ls -lh target/dist
