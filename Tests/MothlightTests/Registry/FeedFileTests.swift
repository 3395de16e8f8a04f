import Testing

@testable import Mothlight

/// The shapes that sources publish, by hand.
enum FeedText {
  static let date = Timestamp(seconds: 1_780_000_000)

  static let feodoJSON = """
    [
     {"ip_address": "192.0.2.1", "port": 447, "status": "online", "hostname": null, "as_number": 64500, "as_name": "EXAMPLE",
      "country": "ZZ", "first_seen": "2026-05-01 10:00:00", "last_online": "2026-05-20", "malware": "Dridex"},
     {"ip_address": "192.0.2.2", "port": 8080, "status": "offline", "hostname": "h.example", "as_number": 64500,
      "as_name": "EXAMPLE", "country": "ZZ", "first_seen": "2026-04-01 10:00:00", "last_online": null, "malware": "QakBot"}
    ]
    """
  static let feodoCSV = """
    ################
    # Feodo Tracker, remark
    ################
    "first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"
    "2026-05-01 10:00:00","192.0.2.1","447","online","2026-05-20","Dridex"
    "2026-04-01 10:00:00","192.0.2.2","8080","offline","","QakBot"
    """
  static let threatfoxAPI = """
    {"query_status": "ok", "data": [
     {"id": "12", "ioc": "192.0.2.3:4444", "threat_type": "botnet_cc", "threat_type_desc": "x", "ioc_type": "ip:port",
      "ioc_type_desc": "y", "malware": "win.alpha", "malware_printable": "Alpha", "malware_alias": "Alef, Aleph",
      "malware_malpedia": "https://malpedia.example/alpha", "confidence_level": 75, "first_seen": "2026-05-01 10:00:00 UTC",
      "last_seen": null, "reference": "https://example.org/a", "reporter": "me", "tags": ["x", "y"]},
     {"id": "13", "ioc": "bad.example.net", "threat_type": "botnet_cc", "ioc_type": "domain", "malware": "unknown",
      "malware_printable": "Unknown malware", "confidence_level": 50, "first_seen": "2026-05-01 10:00:00 UTC"}
    ]}
    """
  static let threatfoxExport = """
    {"12": [{"ioc_value": "192.0.2.3:4444", "ioc_type": "ip:port", "threat_type": "botnet_cc", "malware": "win.alpha",
      "malware_alias": null, "malware_printable": "Alpha", "first_seen_utc": "2026-05-01 10:00:00",
      "last_seen_utc": "2026-05-02 10:00:00", "confidence_level": 75, "reference": null, "tags": "a,b",
      "anonymous": "0", "reporter": "me"}],
     "13": [{"ioc_value": "bad.example.net", "ioc_type": "domain", "threat_type": "payload_delivery", "malware": "win.alpha",
      "malware_printable": "Alpha", "first_seen_utc": "2026-05-01 10:00:00"}]}
    """
  static let threatfoxCSV = """
    # ThreatFox IOCs
    # "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias","malware_printable",\
    "last_seen_utc","confidence_level","reference","tags","anonymous","reporter"
    "2026-05-01 10:00:00", "12", "192.0.2.3:4444", "ip:port", "botnet_cc", "win.alpha", "None", "Alpha", "", "75", "", "a,b", "0", "me"
    "2026-05-01 10:00:00", "13", "http://192.0.2.4/x?a=""b\""", "url", "payload_delivery", "win.alpha", "None", "Alpha", "", "75", "", "", "0", "me"
    """
  static let urlhausCSV = """
    # id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter
    "9","2026-05-01 10:00:00","http://192.0.2.5/bin.sh","online","2026-05-02 10:00:00","malware_download","elf,Mirai","https://urlhaus.example/9","me"
    "8","2026-05-01 09:00:00","http://192.0.2.6/bin.sh","offline","","malware_download","","https://urlhaus.example/8","me"
    """
  static let urlhausJSON = """
    {"9": [{"dateadded": "2026-05-01 10:00:00 UTC", "url": "http://192.0.2.5/bin.sh", "url_status": "online",
      "last_online": "2026-05-02 10:00:00 UTC", "threat": "malware_download", "tags": ["elf", "Mirai"],
      "urlhaus_link": "https://urlhaus.example/9", "reporter": "me"}],
     "8": [{"dateadded": "2026-05-01 09:00:00 UTC", "url": "http://192.0.2.6/bin.sh", "url_status": "offline",
      "last_online": null, "threat": "malware_download", "tags": null, "urlhaus_link": "https://urlhaus.example/8"}]}
    """
  static let sslblCSV = """
    # Listingdate,SHA1,Listingreason
    2026-05-01 10:00:00,0123456789abcdef0123456789abcdef01234567,Dridex C&C
    2026-05-01 10:00:00,0123456789abcdef0123456789abcdef01234568,malware distribution
    """
  static let sslblJA3 = """
    # ja3_md5,Firstseen,Lastseen,Listingreason
    b386946a5a44d1ddcc843bc75336dfce,2017-07-14 18:08:15,2019-07-27 20:42:54,Dridex
    e7d705a3286e19ea42f587b344ee6865,2017-07-14 19:02:15,2019-07-28 00:34:38,Tofsee C&C
    """
  static let sslblIP =
    "# Firstseen,DstIP,DstPort\n2026-05-01 10:00:00,192.0.2.7,443\n2026-05-01 10:00:00,192.0.2.8,443\n"

  static let all: [(RegistryImport.Format, String)] = [
    (.feodo, feodoJSON), (.feodo, feodoCSV), (.threatfox, threatfoxAPI), (.threatfox, threatfoxExport),
    (.threatfox, threatfoxCSV), (.urlhaus, urlhausCSV), (.urlhaus, urlhausJSON), (.sslbl, sslblCSV), (.sslbl, sslblJA3),
    (.sslbl, sslblIP),
  ]

  static func parse(_ text: String) throws(ConfigurationError) -> RegistryImport {
    try FeedFile.parse(Array(text.utf8), path: "f", date: date)
  }
}

@Suite struct FeedFileTests {
  @Test func everyShapeIsToldByContent() throws {
    for (format, text) in FeedText.all {
      let found = try FeedText.parse(text)
      #expect(found.format == format)
      #expect(found.rows.count == 2)
      #expect(found.read == 2)
      #expect(found.complaint == nil)
      #expect(found.source == "abuse.ch/\(format.rawValue)")
    }
  }

  @Test func feodoInBothShapesIsTheSame() throws {
    let json = try FeedText.parse(FeedText.feodoJSON).rows.map(\.claim)
    let csv = try FeedText.parse(FeedText.feodoCSV).rows.map(\.claim)
    for (a, b) in zip(json, csv) {
      #expect(a.indicator == b.indicator && a.firstSeen == b.firstSeen && a.lastSeen == b.lastSeen)
      #expect(a.isOnline == b.isOnline && a.malware == b.malware && a.role == .server)
    }
    #expect(json[0].indicator.value == "192.0.2.1:447")
    #expect(json[0].origin.date.dayDescription == "2026-05-20")
    #expect(json[0].extra == ["as_number": "64500", "as_name": "EXAMPLE", "country": "ZZ"])
    #expect(json[1].isOnline == false)
    #expect(json[1].extra["hostname"] == "h.example")
  }

  @Test func threatfoxNamesAndKinds() throws {
    let api = try FeedText.parse(FeedText.threatfoxAPI).rows
    #expect(api[0].candidates == ["Alpha", "Alef", "Aleph"])
    #expect(api[0].malpedia == "win.alpha")
    #expect(api[0].claim.confidence == 75)
    #expect(api[0].claim.extra["tags"] == "x,y")
    #expect(api[1].candidates.isEmpty && !api[1].mayName && api[1].malpedia == nil)
    let csv = try FeedText.parse(FeedText.threatfoxCSV).rows
    #expect(csv.map(\.claim.role) == [.server, .delivery])
    #expect(csv[1].claim.indicator.value == "http://192.0.2.4/x?a=\"b\"")
  }

  /// A free tag may find a botnet but makes none.
  @Test func urlhausTagsNameNothingNew() throws {
    for text in [FeedText.urlhausCSV, FeedText.urlhausJSON] {
      let rows = try FeedText.parse(text).rows
      #expect(rows.allSatisfy { !$0.mayName && $0.claim.role == .delivery })
      #expect(rows[0].candidates == ["elf", "Mirai"])
      #expect(rows.map(\.claim.isOnline) == [true, false])
    }
  }

  @Test func sslblReasons() throws {
    #expect(try FeedText.parse(FeedText.sslblCSV).rows.map(\.claim.malware) == ["Dridex", ""])
    #expect(try FeedText.parse(FeedText.sslblJA3).rows.map(\.claim.indicator.kind) == [.ja3, .ja3])
    #expect(try FeedText.parse(FeedText.sslblIP).rows.map(\.claim.role) == [.server, .server])
  }

  /// Cut anywhere, a file gives a beginning of its rows, or one line that says where; never a wrong row.
  @Test func cutFilesGiveTheirGoodRows() throws {
    for (_, text) in FeedText.all {
      let whole = try FeedText.parse(text).rows.map(\.claim.indicator.value)
      let bytes = Array(text.utf8)
      var partial = 0
      for end in 0..<bytes.count {
        do throws(ConfigurationError) {
          let found = try FeedFile.parse(Array(bytes[..<end]), path: "f", date: FeedText.date)
          let values = found.rows.map(\.claim.indicator.value)
          // The last row of a CSV file may be cut inside its last field that is looked at.
          #expect(values.dropLast().elementsEqual(whole.prefix(max(0, values.count - 1))))
          if values.count == 1 { partial += 1 }
        } catch {
          #expect(error.message.hasPrefix("f:") && !error.message.contains("\n"))
        }
      }
      #expect(partial > 0)
    }
  }

  @Test func badRowsAreToldWithTheirLine() throws {
    let text =
      FeedText.feodoCSV + """

        "2026-05-01 10:00:00","192.0.2.300","447","online","2026-05-20","Dridex"
        "2026-05-01 10:00:00","10.0.0.1","447","online","2026-05-20","Dridex"
        "yesterday","192.0.2.9","447","online","2026-05-20","Dridex"
        "2026-05-01 10:00:00","192.0.2.10,"447"
        "2026-05-01 10:00:00","192.0.2.11","447","online","2026-05-20","Dridex"
        """
    let found = try FeedText.parse(text)
    #expect(found.rows.count == 3)
    #expect(found.skipped == 4)
    #expect(
      found.complaint == "f:7: '192.0.2.300:447' is no address with a port; 4 of 7 rows skipped, this is the first")
  }

  @Test(arguments: [
    ("", "f: is empty"), ("hello\nworld\n", "f:1: none of the known formats"), ("{\"a\": 1}", "f:1: none of the known"),
    ("[1, 2]", "f:1: none of the known"), ("{\"values\": [", "f:1: damaged JSON"), ("\u{1f}\u{8b}", "f:"),
    ("# a,b\n1,2\n", "f:2: none of the known"), ("[]", "f:1: a feed without rows"),
    ("{\"query_status\": \"no_result\", \"data\": \"none\"}", "f:1: a feed without rows"),
  ])
  func foreignFilesAreRefused(_ text: String, _ message: String) {
    do throws(ConfigurationError) {
      _ = try FeedText.parse(text)
      Issue.record("taken: \(text)")
    } catch { #expect(error.message.hasPrefix(message), "\(error.message)") }
  }

  @Test func packedFilesAreNamed() {
    #expect(throws: ConfigurationError("f: is packed (gzip, zip or zstd); unpack it first")) {
      try FeedFile.parse([0x1f, 0x8b, 8, 0], path: "f", date: FeedText.date)
    }
  }

  @Test func galaxiesGiveNamesAndNoTexts() throws {
    let text = """
      {"type": "botnet", "uuid": "00000000-0000-4000-8000-000000000000", "values": [
       {"value": "Alpha", "uuid": "00000000-0000-4000-8000-000000000001", "description": "others' words",
        "meta": {"date": "2012", "synonyms": ["Alef"], "refs": ["https://malpedia.caad.fkie.fraunhofer.de/details/elf.alpha"]}},
       {"value": "Alpha 2", "uuid": "00000000-0000-4000-8000-000000000002", "related": [
        {"dest-uuid": "00000000-0000-4000-8000-000000000001", "type": "variant-of"}]},
       {"uuid": "00000000-0000-4000-8000-000000000003"}]}
      """
    let found = try FeedText.parse(text)
    #expect(found.entries.map(\.name) == ["Alpha", "Alpha 2"])
    #expect(found.entries.map(\.kind) == [.botnet, .variant])
    #expect(found.entries[0].identifiers.map(\.value) == ["00000000-0000-4000-8000-000000000001", "elf.alpha"])
    #expect(found.entries[0].dated == "2012")
    #expect(found.complaint == "f:6: an entry without a name ('value'); the rest was read")
    #expect(try FeedText.parse(text.replacing("\"botnet\"", with: "\"rat\"")).entries[0].kind == .tool)
    #expect(try FeedText.parse(text.replacing("\"botnet\"", with: "\"malpedia\"")).entries[0].kind == .family)
  }

  @Test(arguments: [
    ("2026-01-31", "2026-01-31T00:00:00"), ("2026-01-31 12:34:56", "2026-01-31T12:34:56"),
    ("2026-01-31 12:34:56 UTC", "2026-01-31T12:34:56"), ("2026-01-31T12:34:56Z", "2026-01-31T12:34:56"),
    ("2026-01-31T12:34:56.789+00:00", "2026-01-31T12:34:56"), ("2026-01-31 12:34", "2026-01-31T12:34:00"),
  ])
  func timesAreRead(_ text: String, _ expected: String) {
    #expect(FeedTime.parse(text)?.description.hasPrefix(expected) == true)
  }

  @Test(arguments: [
    "", "yesterday", "2026-02-30", "2026-01-31 25:00:00", "2026-01-31 12", "2026-01-31 12:00:00 CET", ".",
  ])
  func otherTimesAreNone(_ text: String) { #expect(FeedTime.parse(text) == nil) }
}

@Suite struct JSONTreeTests {
  private func parse(_ text: String) -> (tree: JSONTree?, damage: TextDamage?) {
    JSONTreeParser.parse(Array(text.utf8))
  }

  @Test func values() {
    let (tree, damage) = parse("{\"a\": [1, -2.5e3, \"x\\n\\u00e9\\ud83d\\ude00\", true, null], \"b\": {}}")
    #expect(damage == nil)
    #expect(tree?["a"]?.array?.map(\.scalarText) == ["1", "-2.5e3", "x\né😀", "true", nil])
    #expect(tree?["b"]?.members?.all.isEmpty == true)
  }

  @Test func objectsKnowTheirLine() {
    #expect(parse("[\n {},\n\n {\"a\": 1}]").tree?.array?.map { $0.members?.line } == [2, 4])
  }

  @Test(arguments: [
    "{", "[1,", "{\"a\"", "{\"a\":}", "[01x]", "tru", "\"a", "\"\\q\"", "\"\\u12", "[1] 2", "{\"a\":1,}", "\u{1}",
  ])
  func damageIsTold(_ text: String) { #expect(parse(text).damage?.line == 1) }

  @Test func depthIsBounded() {
    #expect(parse(String(repeating: "[", count: 100_000)).damage?.what == "nested deeper than 32")
  }
}

@Suite struct IndicatorReadingTests {
  @Test(arguments: [
    ("http://Bad.Example.NET:80/Path?Q", "url:http://bad.example.net:80/Path?Q"),
    ("hxxps://bad[.]example/x", "url:https://bad.example/x"),
    ("bad.example.net:8080", "domain:bad.example.net"), ("192.0.2.1", "address:192.0.2.1"),
    ("192.0.2.0/24", "prefix:192.0.2.0/24"), ("[2001:db8::1]:53", "endpoint:[2001:db8::1]:53"), ("plain", ""),
    ("http://", ""), ("http://bad.example:port/", ""), ("javascript://bad.example/", ""),
  ])
  func textIsRead(_ text: String, _ expected: String) {
    #expect(Indicator.readings(text).map { "\($0.kind.rawValue):\($0.value)" }.joined(separator: " ") == expected)
  }

  @Test func digitsMayBeSeveralThings() {
    #expect(Indicator.readings(String(repeating: "a", count: 32)).map(\.kind) == [.ja3, .hash])
    #expect(Indicator.readings(String(repeating: "a", count: 40)).map(\.kind) == [.certificate, .hash])
    #expect(Indicator.readings("cert:" + String(repeating: "a", count: 40)).map(\.kind) == [.certificate])
  }

  @Test func hosts() {
    #expect(Indicator.reading("http://u:p@[2001:DB8::1]:80/x", as: .url)?.host == "2001:db8::1")
    #expect(Indicator.reading("192.0.2.1:5", as: .endpoint)?.host == "192.0.2.1")
    #expect(Indicator.parents(of: "a.b.example") == ["a.b.example", "b.example"])
    #expect(Indicator.parents(of: "example").isEmpty)
  }
}
