use super::*;

fn vet_text(text: &str) -> Result<(), &'static str> {
    vet(text.parse().unwrap())
}

#[test]
fn the_edges_of_every_range_are_refused_and_their_neighbours_are_not() {
    let v4 = [
        ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
        ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
        ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
        ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
        ("168.63.129.16", "168.63.129.16", Some("168.63.129.15"), Some("168.63.129.17")),
        ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
        ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
        ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
        ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
        ("192.88.99.0", "192.88.99.255", Some("192.88.98.255"), Some("192.88.100.0")),
        ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
        ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
        ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
        ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
        ("224.0.0.0", "239.255.255.255", Some("223.255.255.255"), None),
        ("240.0.0.0", "255.255.255.255", None, None),
    ];
    for (first, last, before, after) in v4 {
        assert!(vet_text(first).is_err(), "{first}");
        assert!(vet_text(last).is_err(), "{last}");
        for neighbour in [before, after].into_iter().flatten() {
            assert_eq!(vet_text(neighbour), Ok(()), "{neighbour}");
        }
    }
}

#[test]
fn only_global_unicast_ipv6_passes() {
    let refused = [
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::a00:1",
        "100::1",
        "100:0:0:1::1",
        "1fff:ffff::1",
        "2001::1",
        "2001:0:53aa:64c:0:5efe:7f00:1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "2620:4f:8000::1",
        "2a00:1450::5efe:7f00:1",
        "2a00:1450::200:5efe:a00:1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    for text in refused {
        assert!(vet_text(text).is_err(), "{text}");
    }
    for text in ["2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "3ffe:ffff::1"] {
        assert_eq!(vet_text(text), Ok(()), "{text}");
    }
}

#[test]
fn knows_the_addresses_of_this_machine() {
    assert!(is_own(Ipv4Addr::LOCALHOST.into()));
    assert!(!is_own(Ipv4Addr::new(192, 0, 2, 1).into()));
}

#[test]
fn only_two_literals_are_plain_loopback() {
    for (text, expected) in [
        ("127.0.0.1", true),
        ("::1", true),
        ("127.0.0.2", false),
        ("::ffff:127.0.0.1", false),
        ("0.0.0.0", false),
    ] {
        assert_eq!(is_plain_loopback(text.parse().unwrap()), expected, "{text}");
    }
}
