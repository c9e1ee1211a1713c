//! The forms of a host that are known to have fooled a filter, and those of the registries of special addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dns::Names;

/// Public addresses that the namespace gives to the machine itself.
pub const OWN: [&str; 2] = ["20.30.40.50/32", "2a00:1450::77/128"];
/// A public address of somebody else.
const PUBLIC_V4: Ipv4Addr = Ipv4Addr::new(20, 1, 2, 3);
const PUBLIC_V6: Ipv6Addr = Ipv6Addr::new(0x2a00, 0x1450, 0, 0, 0, 0, 0, 1);

/// Addresses that nothing outbound may reach: the edges of the ranges of the IANA registry of special addresses
/// (RFC 6890 and its successors), and those that clouds answer metadata on.
const V4: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.254",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.254",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "20.30.40.50",
];
const V6: &[&str] = &[
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:0:53aa:64c:0:5efe:7f00:1",
    "2001:1::1",
    "2001:2::1",
    "2001:3::1",
    "2001:4:112::1",
    "2001:10::1",
    "2001:20::1",
    "2001:30::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:a00:1::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "e000::1",
    "2a00:1450::5efe:7f00:1",
    "2a00:1450::200:5efe:a9fe:a9fe",
    "2a00:1450::77",
];

/// One form of a host.
#[derive(Clone)]
pub struct Form {
    /// What stands between `https://` and the path.
    pub host: String,
    /// The one address that may be dialled for it, or one that may not.
    pub reaches: IpAddr,
    /// Whether a guard lets its first answer through.
    honest: bool,
}

impl Form {
    fn hostile(host: impl Into<String>) -> Self {
        Self { host: host.into(), reaches: Ipv4Addr::LOCALHOST.into(), honest: false }
    }

    fn honest(host: impl Into<String>, reaches: IpAddr) -> Self {
        Self { host: host.into(), reaches, honest: true }
    }

    /// The address that is dialled.
    pub fn url(&self) -> String {
        format!("https://{}", self.host)
    }

    /// Whether dialling this address is what a vetted host leads to.
    pub fn may_reach(&self, ip: IpAddr) -> bool {
        self.honest && self.reaches == ip
    }
}

/// Hosts that are dialled, which proves that the others could be.
pub fn honest(names: &Names) -> Vec<Form> {
    names.add("honest-v4.test", vec![vec![PUBLIC_V4.into()]]);
    names.add("honest-v6.test", vec![vec![PUBLIC_V6.into()]]);
    vec![
        Form::honest(PUBLIC_V4.to_string(), PUBLIC_V4.into()),
        Form::honest(format!("[{PUBLIC_V6}]"), PUBLIC_V6.into()),
        Form::honest("honest-v4.test", PUBLIC_V4.into()),
        Form::honest("honest-v6.test", PUBLIC_V6.into()),
    ]
}

/// Every hostile form.
pub fn all(names: &Names) -> Vec<Form> {
    let v4: Vec<Ipv4Addr> = V4.iter().map(|text| text.parse().expect("an address")).collect();
    let v6: Vec<Ipv6Addr> = V6.iter().map(|text| text.parse().expect("an address")).collect();
    let mut forms: Vec<Form> = Vec::new();
    for ip in &v4 {
        forms.extend(notations(*ip).into_iter().map(Form::hostile));
        forms.extend(named(names, (*ip).into()));
    }
    for ip in &v6 {
        forms.extend(notations6(*ip).into_iter().map(Form::hostile));
        forms.extend(named(names, (*ip).into()));
    }
    forms.extend(rebinding(names));
    names.add("metadata.google.internal", vec![vec![Ipv4Addr::new(169, 254, 169, 254).into()]]);
    forms.extend(ODD.iter().map(|host| Form::hostile(*host)));
    forms
}

/// The forms that a provider's `Location` is tried with: every fifth, so that each kind and each address is there.
pub fn redirects(all: &[Form]) -> Vec<Form> {
    all.iter().filter(|form| form.host.is_ascii()).step_by(5).cloned().collect()
}

/// The notations of inet_aton(3), those that Unicode maps to digits and dots (UTS 46), and IPv4 within IPv6.
fn notations(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let number = ip.to_bits();
    let (high, low) = (number >> 16, number & 0xffff);
    let wide = |text: &str| -> String {
        text.chars().map(|c| c.to_digit(10).and_then(|n| char::from_u32(0xff10 + n)).unwrap_or(c)).collect()
    };
    vec![
        ip.to_string(),
        format!("{ip}."),
        format!("{number}"),
        format!("{number}."),
        format!("0x{number:x}"),
        format!("0X{number:X}"),
        format!("0{number:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.0x{b:02x}.{c}.0{d:o}"),
        format!("{a}.{}", number & 0xff_ffff),
        format!("{a}.{b}.{low}"),
        format!("0x{a:x}.{b}.0{low:o}"),
        wide(&ip.to_string()),
        ip.to_string().replace('.', "。"),
        ip.to_string().replace('1', "①"),
        ip.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
        format!("user@{ip}"),
        format!("github.com:443@{ip}"),
        format!("[::ffff:{ip}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:FFFF:{high:04X}:{low:04X}]"),
        format!("[::{ip}]"),
        format!("[64:ff9b::{ip}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::1]"),
        format!("[2001:0:2001::{:x}:{:x}]", !high & 0xffff, !low & 0xffff),
        format!("[2a00:1450::5efe:{high:x}:{low:x}]"),
        format!("[fe80::1%25lo]"),
    ]
}

fn notations6(ip: Ipv6Addr) -> Vec<String> {
    let full = ip.segments().map(|segment| format!("{segment:04X}")).join(":");
    let bare = ip.segments().map(|segment| format!("{segment:x}")).join(":");
    vec![
        format!("[{ip}]"),
        format!("[{full}]"),
        format!("[{bare}]"),
        format!("user:pass@[{ip}]"),
        format!("[{ip}%25lo]"),
    ]
}

/// Names that have the address: alone, with a dot behind, and beside public ones.
fn named(names: &Names, ip: IpAddr) -> Vec<Form> {
    let label = ip.to_string().replace(['.', ':'], "-");
    let label = format!("n{label}n");
    let sets: [(&str, Vec<IpAddr>); 4] = [
        ("alone", vec![ip]),
        ("last", vec![PUBLIC_V4.into(), PUBLIC_V6.into(), ip]),
        ("first", vec![ip, PUBLIC_V4.into(), PUBLIC_V6.into()]),
        ("twice", vec![PUBLIC_V4.into(), ip, ip]),
    ];
    let mut forms = Vec::new();
    for (kind, addresses) in sets {
        let name = format!("{kind}-{label}.test");
        names.add(&name, vec![addresses]);
        forms.push(Form::hostile(name));
    }
    forms.push(Form::hostile(format!("ALONE-{label}.Test.")));
    forms
}

/// Names that change their mind between one question and the next. Their first answer may be dialled, no other.
fn rebinding(names: &Names) -> Vec<Form> {
    let public: IpAddr = PUBLIC_V4.into();
    let mut forms = Vec::new();
    for (index, ip) in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fd00:ec2::254"].iter().enumerate()
    {
        let ip: IpAddr = ip.parse().expect("an address");
        let late = format!("rebinds-{index}.test");
        names.add(&late, vec![vec![public], vec![ip]]);
        forms.push(Form::honest(late, public));
        let early = format!("rebinds-early-{index}.test");
        names.add(&early, vec![vec![ip], vec![public]]);
        forms.push(Form::honest(early, public));
    }
    forms
}

/// Forms of their own.
const ODD: &[&str] = &[
    "localhost",
    "localhost.",
    "LOCALHOST",
    "LocalHost:443",
    "sub.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "127.1",
    "127.0.1",
    "0",
    "00",
    "0x",
    "0x0",
    "0x7f.1",
    "017700000001",
    "0177.1",
    "127.0.0.1%2f@example.com",
    "example.com@127.0.0.1",
    "127.0.0.1#@example.com",
    "127.0.0.1?@example.com",
    "127.0.0.1\\@example.com",
    "example.com\\@127.0.0.1",
    "[::1]:443",
    "[::]:443",
    "[0:0:0:0:0:0:0:1]",
    "[::0001]",
    "[::ffff:7f00:1]:443",
    "[::ffff:0177.0.0.1]",
    "[fe80::1%25eth0]",
    "[fe80::1%lo]",
    "[fe80::1%251]",
    "127.0.0.1:443",
    "127.0.0.1:0443",
    "127.0.0.1.:443",
    "127.000.000.001",
    "0300.0250.1",
    "3232235777",
    "0xA9FEA9FE",
    "2852039166",
    "0251.0376.0251.0376",
    "0xa9.254.0251.254",
    "169.16689662",
    "169.254.43518",
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    "169。254。169。254",
    "169．254．169．254",
    "%31%36%39.254.169.254",
    "\u{ad}127.0.0.1",
    "127.0.0.1\u{200b}",
    "1２7.0.0.1",
    "xn--127-0-0-1",
    "metadata.google.internal",
];
