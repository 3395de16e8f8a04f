/// Every bound on memory, with unit and reason. Evictions beyond a bound are counted and shown.
public enum Limits {
  /// Flows held open by one meter: 192 B each, so 1 M flows are 192 MB.
  public static let openFlows = 1 << 20
  /// Octets of one TCP direction kept in order for decoding a hello or a header block; a certificate chain is 3–6 KiB.
  public static let streamPrefixOctets = 16_384
  /// Connections that keep a stream prefix at a time.
  public static let openStreams = 1 << 16
  /// Octets of an HTTP request target kept: long enough to tell shapes, short enough for a hostile client.
  public static let httpTargetOctets = 2048
  /// Octets of any other header value or name kept.
  public static let textOctets = 512
  /// Names, addresses and targets kept of one DNS answer.
  public static let dnsAnswers = 64
  /// Sample records per finding: enough to look up, few enough to read.
  public static let evidenceFlowsPerFinding = 5
  /// Busiest peers in a report: a screen, not a log.
  public static let peersShown = 12
  /// Most asked names in a report.
  public static let namesShown = 12
  /// Internal hosts per run; beyond it new hosts are counted, not judged.
  public static let hosts = 1 << 20
  /// Longest text line of a log, octets: Suricata lines with payload reach 100 KiB.
  public static let lineOctets = 1 << 20
  /// Observations per batch: the protocol's cost per observation is below 3 ns from 512 up (craft.md section 4).
  public static let batch = 512
  /// DNS queries waiting for their answer in one meter.
  public static let openLookups = 1 << 16
  /// Fragmented datagrams waiting for their ports.
  public static let openFragments = 4096
  /// Tunnels unwrapped inside each other.
  public static let tunnelDepth = 2
  /// Pairs kept between runs: 148 octets and four for each of up to 64 starts, so 424 MB at most and about 170 MB as a rule.
  public static let rememberedPairs = 1 << 20
  /// Pairs kept of one host between runs: a scanner must not push out what others did.
  public static let rememberedPairsPerHost = 4096
  /// Hosts kept between runs: 76 octets each, 20 MB.
  public static let rememberedHosts = 1 << 18
  /// Outside addresses kept between runs with their age: 40 octets each, 42 MB.
  public static let rememberedDestinations = 1 << 20
  /// Names kept between runs with their age: 25 octets and the name, 15 MB as a rule.
  public static let rememberedNames = 1 << 18
  /// Inputs known again: 44 octets each; ten logs an hour for nine months.
  public static let rememberedInputs = 1 << 16
}
