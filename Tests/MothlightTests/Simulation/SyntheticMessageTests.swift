import Testing

@testable import Mothlight

@Suite("Synthetic messages") struct SyntheticMessageTests {
  /// The test vectors of the sinkhole reference, section 3.1.
  @Test func bfbotJoinVectors() {
    #expect(SyntheticBFBot.join(sequence: (0, 0)) == [0x61, 0, 0, 0x99, 0x8b, 0x89, 0xc9])
    #expect(SyntheticBFBot.join(sequence: (1, 2)) == [0x61, 1, 2, 0x98, 0x89, 0x88, 0xcb])
    #expect(SyntheticBFBot.join(sequence: (0x5a, 0xc3)) == [0x61, 0x5a, 0xc3, 0xc3, 0x48, 0xd3, 0x0a])
    #expect(SyntheticBFBot.keepAlive(sequence: (7, 8)) == [1, 7, 8])
    #expect(SyntheticBFBot.acknowledgement(sequence: (7, 8)) == [0x80, 7, 8])
    let answer = SyntheticBFBot.joinAnswer(sequence: (7, 8), bot: IPAddress(v4: 0xc0a8_0a16))
    #expect(answer.count == 8)
    #expect(answer.first == 0x40)
    #expect(answer.suffix(4) == [192, 168, 10, 22])
  }

  @Test func dnsBytesByHand() {
    let lookup = SyntheticDNS(
      identifier: 0x1234, name: "a.example", type: .a, responseCode: 0, addresses: [IPAddress(v4: 0xc612_0001)],
      ttlSeconds: 300)
    let question: [UInt8] = [1, 0x61, 7] + Array("example".utf8) + [0, 0, 1, 0, 1]
    #expect(lookup.query == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question)
    #expect(
      lookup.answer == [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + question
        + [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 198, 18, 0, 1])
    let missing = SyntheticDNS(identifier: 1, name: "x.example", type: .a, responseCode: 3, ttlSeconds: 0)
    #expect(missing.answer[3] == 0x83)
    #expect(missing.answer[7] == 0)
  }

  @Test func dnsNames() {
    #expect(SyntheticDNS.isName("a-b_c.example"))
    for bad in ["", ".", "a..b", "a b", String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "aa"] {
      #expect(!SyntheticDNS.isName(bad), "\(bad)")
    }
  }

  /// Walks the record, handshake and extension lengths; each must end where its parent does.
  @Test(arguments: SyntheticTLS.Client.allCases) func clientHelloIsWellFormed(client: SyntheticTLS.Client) throws {
    var random = RandomSource(seed: 1)
    let hello = SyntheticTLS(client: client, serverName: "www.example").clientHello(&random)
    func number(_ at: Int, _ width: Int) -> Int { (0..<width).reduce(0) { $0 << 8 | Int(hello[at + $1]) } }
    #expect(Array(hello[0..<3]) == [0x16, 3, 1])
    #expect(number(3, 2) == hello.count - 5)
    #expect(hello[5] == 1)
    #expect(number(6, 3) == hello.count - 9)
    var at = 9 + 2 + 32
    at += 1 + Int(hello[at])
    let ciphers = number(at, 2)
    #expect(ciphers % 2 == 0)
    at += 2 + ciphers
    at += 1 + Int(hello[at])
    #expect(number(at, 2) == hello.count - at - 2)
    at += 2
    var names: [String] = []
    while at < hello.count {
      let type = number(at, 2)
      let length = number(at + 2, 2)
      if type == 0 { names.append(String(decoding: hello[(at + 9)..<(at + 4 + length)], as: UTF8.self)) }
      at += 4 + length
    }
    #expect(at == hello.count)
    #expect(names == ["www.example"])
    let bare = SyntheticTLS(client: client, serverName: nil).clientHello(&random)
    #expect(bare.count == hello.count - 4 - 5 - 11)
  }

  @Test func datagramsHaveTheirSizes() {
    let request = SyntheticDatagrams.ntp(isServer: false, time: 1_000_000)
    #expect(request.count == 48)
    #expect(request[0] == 0x23)
    // 1970-01-01T00:00:01Z is 2208988801 s after 1900 = 0x83AA7E81.
    #expect(Array(request[40..<44]) == [0x83, 0xaa, 0x7e, 0x81])
    let transaction = [UInt8](repeating: 9, count: 12)
    #expect(SyntheticDatagrams.stun(answerFor: nil, port: 0, transaction: transaction).count == 20)
    let answer = SyntheticDatagrams.stun(answerFor: IPAddress(v4: 0xc000_0201), port: 32_853, transaction: transaction)
    // RFC 5769 section 2.2: 192.0.2.1 port 32853 is XOR-MAPPED as a147 e112a643.
    #expect(Array(answer.suffix(6)) == [0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43])
    let snmp = SyntheticDatagrams.snmp(isAnswer: true, request: 5, upTime: 100)
    #expect(Int(snmp[1]) == snmp.count - 2)
  }

  @Test func sshPacketsArePadded() {
    var random = RandomSource(seed: 3)
    for packet in [
      SyntheticSSH.keyExchangeInit(&random), SyntheticSSH.exchangeStart(&random), SyntheticSSH.newKeys(&random),
    ] {
      let length = packet[0..<4].reduce(0) { $0 << 8 | Int($1) }
      #expect(length == packet.count - 4)
      #expect(packet.count % 8 == 0)
      #expect(packet[4] >= 4)
    }
  }
}
