//! Public addresses, according to the IANA special-purpose address registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Returns whether an address belongs to the public internet.
///
/// IPv6 addresses that embed an IPv4 address are not public, whatever that address is: mapped (`::ffff:a.b.c.d`),
/// compatible, translated and local-use NAT64 addresses are all in `::/8`, Teredo is in `2001::/23`, and 6to4 is
/// `2002::/16`. The only exception is the well-known NAT64 prefix `64:ff9b::/96`, because IPv6-only networks use it to
/// reach the IPv4 internet. Its addresses are as public as the embedded one.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) if NAT64.contains(&ip) => {
            let [.., a, b, c, d] = ip.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(ip) => !NOT_PUBLIC_V6.iter().any(|block| block.contains(&ip)),
    }
}

/// Returns whether clouds serve credentials at this address, or at an IPv4 address that is embedded in it.
///
/// It is called only for addresses that are not public, so an accidental match never blocks a public receiver.
pub(super) fn is_metadata(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => METADATA_V4.contains(&ip.octets()),
        IpAddr::V6(ip) => METADATA_V6.contains(&ip) || embeds_metadata(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4.iter().any(|block| block.contains(&ip))
}

fn embeds_metadata(ip: Ipv6Addr) -> bool {
    let octets = ip.octets();
    let contains_metadata = |octets: &[u8]| {
        octets
            .windows(4)
            .any(|four| METADATA_V4.iter().any(|ip| ip == four))
    };
    // With NAT64 prefixes shorter than 96 bits, octet 8 is not part of the embedded address (RFC 6052).
    let [a, b, c, d, e, f, g, h, _, i @ ..] = octets;
    let [j, k, l, m, n, o, p] = i;
    let without_octet_8 = [a, b, c, d, e, f, g, h, j, k, l, m, n, o, p];
    // Teredo inverts every bit of the embedded address (RFC 4380).
    contains_metadata(&octets)
        || contains_metadata(&without_octet_8)
        || contains_metadata(&octets.map(|octet| !octet))
}

const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);

const NOT_PUBLIC_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),       // this network
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // carrier-grade NAT
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local, and most clouds' metadata
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 88, 99, 0], 24),  // 6to4 relays, deprecated
    v4([192, 168, 0, 0], 16),  // private
    v4([198, 18, 0, 0], 15),   // benchmarking
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, and broadcast
];

const NOT_PUBLIC_V6: [Ipv6Net; 11] = [
    v6(0, 0, 8),           // unspecified, loopback, and most forms of embedded IPv4
    v6(0x100, 0, 64),      // discard-only
    v6(0x2001, 0, 23),     // protocol assignments, and Teredo
    v6(0x2001, 0xdb8, 32), // documentation
    v6(0x2002, 0, 16),     // 6to4
    v6(0x3fff, 0, 20),     // documentation
    v6(0x5f00, 0, 16),     // segment routing
    v6(0xfc00, 0, 7),      // unique local: private
    v6(0xfe80, 0, 10),     // link-local
    v6(0xfec0, 0, 10),     // site-local, deprecated
    v6(0xff00, 0, 8),      // multicast
];

const METADATA_V4: [[u8; 4]; 4] = [
    [169, 254, 169, 254], // most clouds
    [169, 254, 170, 2],   // container credentials
    [169, 254, 170, 23],  // pod credentials
    [100, 100, 100, 200], // a cloud that uses the carrier-grade NAT range
];

const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// Creates an IPv6 block. The first 32 bits are enough for all blocks of the list.
const fn v6(first: u16, second: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), prefix)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same blocks by their first and last addresses, so that a mistake in either table fails a test.
    const BLOCKS: [(&str, &str); 26] = [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "239.255.255.255"),
        ("240.0.0.0", "255.255.255.255"),
        ("::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("100::", "100::ffff:ffff:ffff:ffff"),
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ];

    fn blocks() -> impl Iterator<Item = (IpAddr, IpAddr)> {
        BLOCKS
            .iter()
            .map(|(first, last)| (first.parse().unwrap(), last.parse().unwrap()))
    }

    fn listed(ip: IpAddr) -> bool {
        // `IpAddr` orders all IPv4 addresses before all IPv6 addresses.
        blocks().any(|(first, last)| first <= ip && ip <= last)
    }

    /// Returns the addresses directly before and after a block.
    fn neighbors(first: IpAddr, last: IpAddr) -> Vec<IpAddr> {
        let (before, after) = match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => (
                first
                    .to_bits()
                    .checked_sub(1)
                    .map(|bits| Ipv4Addr::from_bits(bits).into()),
                last.to_bits()
                    .checked_add(1)
                    .map(|bits| Ipv4Addr::from_bits(bits).into()),
            ),
            (IpAddr::V6(first), IpAddr::V6(last)) => (
                first
                    .to_bits()
                    .checked_sub(1)
                    .map(|bits| Ipv6Addr::from_bits(bits).into()),
                last.to_bits()
                    .checked_add(1)
                    .map(|bits| Ipv6Addr::from_bits(bits).into()),
            ),
            _ => unreachable!("a block has one address family"),
        };
        [before, after].into_iter().flatten().collect()
    }

    #[test]
    fn blocks_end_exactly_at_their_bounds() {
        for (first, last) in blocks() {
            assert!(!is_public(first), "{first}");
            assert!(!is_public(last), "{last}");
            for neighbor in neighbors(first, last) {
                assert_eq!(is_public(neighbor), !listed(neighbor), "{neighbor}");
            }
        }
        assert_eq!(BLOCKS.len(), NOT_PUBLIC_V4.len() + NOT_PUBLIC_V6.len());
    }

    #[test]
    fn well_known_public_addresses_are_accepted() {
        for ip in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.215.14",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00::1",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn nat64_is_as_public_as_its_embedded_address() {
        for (ip, expected) in [
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::127.0.0.1", false),
            ("64:ff9b::169.254.169.254", false),
            ("64:ff9b:0:0:0:1:808:808", false),
            ("64:ff9b:1::8.8.8.8", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), expected, "{ip}");
        }
    }

    #[test]
    fn embedded_metadata_addresses_are_recognized() {
        for ip in [
            "169.254.169.254",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001:0:a9fe:a9fe::",
            "2001:0:102:304::5601:5601",
            "fe80::5efe:169.254.169.254",
            "100.100.100.200",
        ] {
            assert!(is_metadata(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["169.254.169.253", "10.0.0.1", "fd00:ec2::255", "::1", "fe80::1"] {
            assert!(!is_metadata(ip.parse().unwrap()), "{ip}");
        }
    }

    /// Returns every known IPv6 address that embeds this IPv4 address.
    fn embeddings(ip: Ipv4Addr) -> [Ipv6Addr; 8] {
        let bits = u128::from(ip.to_bits());
        [
            ip.to_ipv6_mapped(),
            Ipv6Addr::from_bits(bits),
            Ipv6Addr::from_bits(0xffff_u128 << 48 | bits),
            Ipv6Addr::from_bits(0x0064_ff9b_u128 << 96 | bits),
            Ipv6Addr::from_bits(0x0064_ff9b_0001_u128 << 80 | bits),
            Ipv6Addr::from_bits(0x2002_u128 << 112 | bits << 80),
            Ipv6Addr::from_bits(0x2001_0000_u128 << 96 | 0x0102_0304_u128 << 64 | (bits ^ 0xffff_ffff)),
            Ipv6Addr::from_bits(0xfe80_u128 << 112 | 0x5efe_u128 << 32 | bits),
        ]
    }

    proptest! {
        #[test]
        fn embedded_private_addresses_are_not_public(block in 0_usize..15, offset in any::<u32>()) {
            let block = NOT_PUBLIC_V4[block];
            let ip = Ipv4Addr::from_bits(block.addr().to_bits() | (offset & block.hostmask().to_bits()));
            prop_assert!(!is_public(ip.into()));
            for embedding in embeddings(ip) {
                prop_assert!(!is_public(embedding.into()), "{} as {}", ip, embedding);
            }
        }

        #[test]
        fn unlisted_v4_addresses_are_public(bits in any::<u32>()) {
            let ip = IpAddr::from(Ipv4Addr::from_bits(bits));
            prop_assert_eq!(is_public(ip), !listed(ip));
        }

        #[test]
        fn unlisted_v6_addresses_are_public(bits in any::<u128>()) {
            let ip = IpAddr::from(Ipv6Addr::from_bits(bits));
            prop_assume!(bits >> 32 != 0x0064_ff9b_u128 << 64);
            prop_assert_eq!(is_public(ip), !listed(ip));
        }

        /// Covers small blocks such as `2001::/23`, which random addresses rarely hit.
        #[test]
        fn unlisted_v6_addresses_near_blocks_are_public(block in 0_usize..11, flipped in 0_u32..64, rest in any::<u64>()) {
            let first = NOT_PUBLIC_V6[block].addr().to_bits() ^ (1 << (127 - flipped));
            let ip = IpAddr::from(Ipv6Addr::from_bits(first | u128::from(rest)));
            prop_assert_eq!(is_public(ip), !listed(ip));
        }
    }
}
