//! Which addresses are public.
//!
//! IPv4 is refused by table. IPv6 is refused unless it lies in `2000::/3`, the only space that IANA has handed out as
//! global unicast, and then by table; so `::1`, `::ffff:0:0/96`, NAT64, unique-local, link-local, multicast and all
//! that is not yet assigned need no line of their own.
//! Sources: the IANA special-purpose address registries (RFC 6890) and the addresses that clouds gave a meaning of
//! their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// An IPv4 network that nothing outbound may reach: address, prefix length, what it is.
type Range4 = (Ipv4Addr, u32, &'static str);
/// The same for IPv6.
type Range6 = (Ipv6Addr, u32, &'static str);

const REFUSED_V4: &[Range4] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private use"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared address space of carriers"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's host agent"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private use"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "IETF protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "AS112 anycast"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "multicast tunnels"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private use"),
    (Ipv4Addr::new(192, 175, 48, 0), 24, "AS112 anycast"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

const GLOBAL_V6: Range6 = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, "global unicast");

const REFUSED_V6: &[Range6] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "IETF protocol assignments, Teredo"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, "AS112 anycast"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Lets public addresses pass.
///
/// # Errors
/// Names the range that the address lies in.
pub fn vet(ip: IpAddr) -> Result<(), &'static str> {
    let range = match ip {
        IpAddr::V4(ip) => refused_v4(ip),
        IpAddr::V6(ip) => refused_v6(ip),
    };
    match range {
        Some(range) => Err(range),
        None if is_own(ip) => Err("this machine"),
        None => Ok(()),
    }
}

/// Whether this is exactly `127.0.0.1` or `::1`, the two literals that loopback mode allows.
#[must_use]
pub fn is_plain_loopback(ip: IpAddr) -> bool {
    ip == IpAddr::V4(Ipv4Addr::LOCALHOST) || ip == IpAddr::V6(Ipv6Addr::LOCALHOST)
}

fn refused_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let inside = |range: &&Range4| (ip.to_bits() ^ range.0.to_bits()) >> (32 - range.1) == 0;
    REFUSED_V4.iter().find(inside).map(|range| range.2)
}

fn refused_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let inside = |range: &&Range6| (ip.to_bits() ^ range.0.to_bits()) >> (128 - range.1) == 0;
    if !inside(&&GLOBAL_V6) {
        return Some("not global unicast");
    }
    REFUSED_V6.iter().find(inside).map(|range| range.2).or_else(|| is_isatap(ip).then_some("ISATAP"))
}

/// Whether the lower half is `0000:5efe` or `0200:5efe` and an IPv4 address (RFC 5214 section 6.1): under any prefix
/// such an address is a tunnel into somebody's IPv4 network.
fn is_isatap(ip: Ipv6Addr) -> bool {
    let [.., upper, kind, _, _] = ip.segments();
    matches!(upper, 0 | 0x200) && kind == 0x5efe
}

/// Whether a public address is one of this machine's own, where services that trust the machine may listen.
///
/// Connecting a datagram socket sends nothing; it makes the kernel choose the source address, and for an own
/// address that is the same address.
fn is_own(ip: IpAddr) -> bool {
    let any: IpAddr = if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let chosen = UdpSocket::bind(SocketAddr::new(any, 0))
        .and_then(|socket| socket.connect(SocketAddr::new(ip, 9)).and_then(|()| socket.local_addr()));
    chosen.is_ok_and(|local| local.ip() == ip)
}

#[cfg(test)]
mod tests;
