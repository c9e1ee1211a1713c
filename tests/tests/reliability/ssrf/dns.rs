//! A name server that answers as a test scripts (RFC 1035), for the resolver of the machine.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

const A: u16 = 1;
const AAAA: u16 = 28;

/// What a name has: the addresses of the first question, of the second, …; the last stay.
type Rounds = Vec<Vec<IpAddr>>;

/// The names and how often each was asked for.
#[derive(Clone, Default)]
pub struct Names(Arc<Mutex<HashMap<String, Name>>>);

#[derive(Default)]
struct Name {
    rounds: Rounds,
    asked: HashMap<u16, usize>,
}

impl Names {
    /// Gives a name its addresses; it is one level below `.test`.
    pub fn add(&self, name: &str, rounds: Rounds) {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0.lock().expect("nobody panics with it").insert(name, Name { rounds, asked: HashMap::new() });
    }

    /// Begins every name's rounds anew.
    pub fn forget_questions(&self) {
        self.0.lock().expect("nobody panics with it").values_mut().for_each(|name| name.asked.clear());
    }

    fn answer(&self, name: &str, kind: u16) -> Vec<IpAddr> {
        let mut names = self.0.lock().expect("nobody panics with it");
        let Some(name) = names.get_mut(name) else { return Vec::new() };
        let asked = name.asked.entry(kind).or_default();
        let round = (*asked).min(name.rounds.len().saturating_sub(1));
        *asked += 1;
        let found = name.rounds.get(round).into_iter().flatten();
        found.filter(|ip| if kind == A { ip.is_ipv4() } else { ip.is_ipv6() }).copied().collect()
    }
}

/// Listens where the machine's resolver asks. Every address is this machine's, so that one is, too.
pub async fn serve() -> Names {
    let names = Names::default();
    let resolv = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let mut servers: Vec<IpAddr> = resolv
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok())
        .collect();
    if servers.is_empty() {
        servers.push("127.0.0.1".parse().expect("an address"));
    }
    for server in servers {
        let socket = UdpSocket::bind((server, 53)).await.expect("the namespace is ours");
        let names = names.clone();
        tokio::spawn(async move {
            let mut question = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                if let Some(answer) = reply(&question[..length], &names) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
    }
    names
}

/// The reply to one question.
fn reply(message: &[u8], names: &Names) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(message.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]);
    let question = message.get(12..at + 4)?;
    let found = if kind == A || kind == AAAA { names.answer(&labels.join("."), kind) } else { Vec::new() };
    let mut reply = message[..2].to_vec();
    // A response without error; one question, the answers, nothing else.
    reply.extend([0x81, 0x80, 0, 1, 0, u8::try_from(found.len()).ok()?, 0, 0, 0, 0]);
    reply.extend(question);
    for ip in found {
        let data = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        // The name of the question, its type, the internet, and a time to live of 0.
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 0, 0, u8::try_from(data.len()).ok()?]);
        reply.extend(data);
    }
    Some(reply)
}
