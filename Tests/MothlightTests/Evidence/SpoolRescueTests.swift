import Foundation
import Testing

@testable import Mothlight

/// Segments that were damaged, cut or planted with false blocks, and what is still vouched for.
@Suite struct SpoolRescueTests {
  private static let start = Timestamp(seconds: 1_772_409_600)
  private static let name = "00000001-sightings.sealed"

  private static func row(_ n: Int) -> SpoolRecord {
    .sighting(
      Sighting(
        source: IPAddress(v4: 0xc000_0200 + UInt32(n)), sourcePort: 1, botnet: "Mariposa", hour: UInt32(start.hour),
        firstSecond: 0, lastSecond: 0, count: UInt32(n), ports: [3431], transport: .udp, level: .recognised))
  }

  private static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "rescue-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  /// Six blocks of four records, sealed.
  private static func spool(_ folder: String, extra: SpoolRecord? = nil) throws -> [UInt8] {
    let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
    for n in 0..<24 {
      if n % 4 == 0 { writer.flush(now: start.advanced(bySeconds: Double(n) * 10)) }
      writer.append(row(n))
      if n == 9, let extra { writer.append(extra) }
    }
    writer.finish(now: start.advanced(bySeconds: 1000))
    return Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
  }

  private static func scan(_ bytes: [UInt8]) -> (records: [SpoolRecord], segment: SpoolSegment) {
    var records: [SpoolRecord] = []
    let segment = SpoolSegment.scan(octets: bytes) { records.append($0) }
    return (records, segment)
  }

  /// Starts of the blocks.
  private static func blocks(_ bytes: [UInt8]) -> [Int] {
    var starts: [Int] = []
    var at = SpoolFormat.headerOctets
    while let (length, _) = SpoolSegment.Block.head(bytes, at) {
      starts.append(at)
      at += SpoolFormat.blockHeadOctets + length + SpoolFormat.hashOctets
    }
    return starts
  }

  /// One flipped bit anywhere in the blocks costs one block's records, two where it hits a hash that the next builds on.
  @Test func aFlippedBitCostsOneBlock() throws {
    try Self.withFolder { folder in
      let bytes = try Self.spool(folder)
      let all = (0..<24).map(Self.row)
      let starts = Self.blocks(bytes)
      #expect(starts.count == 6)
      let sealAt = bytes.count - SpoolFormat.sealOctets
      // Not the last chain hash: the signature is over it.
      for at in starts[0]..<sealAt - SpoolFormat.hashOctets {
        var changed = bytes
        changed[at] ^= 1 << UInt8(at % 8)
        let (records, segment) = Self.scan(changed)
        #expect(records.count >= 16 && records.allSatisfy(all.contains), "octet \(at)")
        let lost = try #require(segment.rescue, "octet \(at)").recordsLost
        #expect(UInt64(records.count) + lost == 24 && lost > 0, "octet \(at)")
        #expect(!segment.isSealed && segment.damage != nil)
      }
    }
  }

  @Test func theDamageIsNamedAndTheNextSegmentStillFollows() throws {
    try Self.withFolder { folder in
      var bytes = try Self.spool(folder)
      _ = try Self.spool(folder)
      bytes[Self.blocks(bytes)[2] + 20] ^= 4
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(Self.name)"))
      var count = 0
      let reports = try SpoolReader(path: folder).read { _ in count += 1 }
      #expect(count == 44 && reports.map(\.records) == [20, 24])
      let damage = try #require(reports[0].damage)
      #expect(
        damage.contains("at byte \(Self.blocks(bytes)[2]); 4 records are lost up to byte \(Self.blocks(bytes)[3])"))
      #expect(reports[1].isVerified)
    }
  }

  /// Octets in a payload that look like a block with a right hash are not believed: they do not lead to the seal.
  @Test func aPlantedBlockIsNotBelieved() throws {
    var encoder = SpoolEncoder()
    let forged = Self.row(666)
    encoder.append(forged)
    let payload = encoder.octets.bytes
    let claimed = [UInt8](repeating: 9, count: SpoolFormat.hashOctets)
    let head = SpoolFormat.blockHead(payload.count, 1)
    let block = claimed + head + payload + SpoolFormat.hash(claimed, head, payload)
    #expect(block.count <= 250)
    try Self.withFolder { folder in
      var bytes = try Self.spool(folder)
      let starts = Self.blocks(bytes)
      // Block 2 is replaced, as if its payload had held the forgery; its hash is what block 3 builds on.
      let hashAt = starts[3] - SpoolFormat.hashOctets
      bytes.replaceSubrange(starts[2]..<hashAt, with: [0x42, 0, 0] + block + [1, 2, 3])
      let (records, segment) = Self.scan(bytes)
      #expect(!records.contains(forged) && records.count == 20 && segment.rescue?.recordsLost == 4)
      // The same octets are a block for whoever does not ask for the seal: the test would otherwise show nothing.
      #expect((try? SpoolSegment.Block(block, SpoolFormat.hashOctets, after: claimed))?.records == [forged])
    }
  }

  /// A segment with a foreign seal gives its chained beginning and nothing behind the damage.
  @Test func withoutAValidSealNothingBehindADamageIsRead() throws {
    try Self.withFolder { folder in
      var bytes = try Self.spool(folder)
      let starts = Self.blocks(bytes)
      bytes[starts[2] + 20] ^= 4
      bytes[bytes.count - 1] ^= 1
      let (records, segment) = Self.scan(bytes)
      #expect(records.count == 8 && segment.rescue == nil)
    }
  }

  /// Many places that look like the head of a long block cost a bounded amount of work.
  @Test func hostileHeadsAreBounded() throws {
    try Self.withFolder { folder in
      var bytes = try Self.spool(folder)
      let starts = Self.blocks(bytes)
      let heads = [UInt8](
        (0..<60_000).flatMap { _ in [SpoolFormat.blockMark, 0x00, 0x40, 0, 0, 1, 0, 0, 0] as [UInt8] })
      bytes.replaceSubrange(starts[1]..<starts[5], with: [0] + heads)
      let (records, segment) = Self.scan(bytes)
      #expect(records.count == 4 && segment.rescue?.recordsLost == 20)
    }
  }

  // MARK: start

  /// A disk that is full when a torn segment waits keeps nobody from starting; the next start settles it.
  @Test func startsOnAFullDisk() throws {
    try Self.withFolder { folder in
      let bytes = try Self.spool(folder)
      let torn = Array(bytes.dropLast(SpoolFormat.sealOctets + 5))
      try FileManager.default.removeItem(atPath: "\(folder)/\(Self.name)")
      let open = "\(folder)/00000001-sightings.open"
      try Data(torn).write(to: URL(fileURLWithPath: open))
      let disk = FullDisk()
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"), storage: disk)
      #expect(writer.repairs.count == 1 && writer.repairs[0].contains("is left to the next start"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: open)) == Data(torn))
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/quarantine").isEmpty)
      writer.append(Self.row(50))
      writer.flush(now: Self.start)
      writer.flush(now: Self.start.advanced(bySeconds: 6))
      #expect(writer.state.trouble != nil)
      disk.isFull = false
      writer.flush(now: Self.start.advanced(bySeconds: 60))
      #expect(writer.state.trouble == nil)
      writer.finish(now: Self.start.advanced(bySeconds: 61))
    }
  }

  @Test func theNextStartSettlesWhatAFullDiskLeft() throws {
    try Self.withFolder { folder in
      let bytes = try Self.spool(folder)
      try FileManager.default.removeItem(atPath: "\(folder)/\(Self.name)")
      try Data(bytes.dropLast(SpoolFormat.sealOctets + 5))
        .write(to: URL(fileURLWithPath: "\(folder)/00000001-sightings.open"))
      let disk = FullDisk()
      do {
        let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"), storage: disk)
        disk.isFull = false
        writer.append(Self.row(50))
        writer.flush(now: Self.start)
        writer.finish(now: Self.start.advanced(bySeconds: 61))
      }
      let next = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
      #expect(next.repairs.count == 1)
      next.finish(now: Self.start)
      var records: [SpoolRecord] = []
      let reports = try SpoolReader(path: folder).read { records.append($0) }
      #expect(records == (0..<20).map(Self.row) + [Self.row(50)])
      #expect(reports.count == 2 && reports.allSatisfy(\.isVerified))
    }
  }

  /// Died between making the file and writing its header: nothing was in it, and nothing is reported missing.
  @Test(arguments: [0, 1, 100, SpoolFormat.headerOctets - 1])
  func aSegmentWithoutAHeaderTakesNoNumber(_ octets: Int) throws {
    try Self.withFolder { folder in
      let bytes = try Self.spool(folder)
      try Data(bytes.prefix(octets)).write(to: URL(fileURLWithPath: "\(folder)/00000002-sightings.open"))
      _ = try Self.spool(folder)
      let reports = try SpoolReader(path: folder).read { _ in }
      #expect(reports.count == 2 && reports.allSatisfy(\.isVerified))
    }
  }

  /// A torn block that cannot be cut off is never written behind.
  @Test func aTornBlockEndsItsSegment() throws {
    try Self.withFolder { folder in
      let disk = FullDisk()
      disk.isFull = false
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"), storage: disk)
      writer.append(Self.row(0))
      writer.flush(now: Self.start)
      writer.flush(now: Self.start.advanced(bySeconds: 6))
      disk.tearsNext = true
      writer.append(Self.row(1))
      writer.flush(now: Self.start.advanced(bySeconds: 12))
      #expect(writer.state.trouble != nil)
      writer.flush(now: Self.start.advanced(bySeconds: 90))
      #expect(writer.state.trouble == nil)
      writer.finish(now: Self.start.advanced(bySeconds: 91))
      var records: [SpoolRecord] = []
      _ = try SpoolReader(path: folder).read { records.append($0) }
      #expect(records == [Self.row(0), Self.row(1)])
    }
  }

  @Test func samplesInQuarantineExpire() throws {
    try Self.withFolder { folder in
      let aside = "\(folder)/quarantine"
      try FileManager.default.createDirectory(atPath: aside, withIntermediateDirectories: true)
      let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
      for name in ["00000003-samples.open.192.0", "00000003-sightings.open.192.0", "notes.txt"] {
        try Data([1]).write(to: URL(fileURLWithPath: "\(aside)/\(name)"))
      }
      #expect(SpoolRetention.prune(folder, sampleDays: 30, now: now).isEmpty)
      #expect(
        SpoolRetention.prune(folder, sampleDays: 30, now: now.advanced(bySeconds: 31 * 86_400))
          == ["00000003-samples.open.192.0"])
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: aside).sorted() == [
          "00000003-sightings.open.192.0", "notes.txt",
        ])
    }
  }

  // MARK: inputs

  /// Looking at a pipe must not take anything out of it.
  @Test func aPipeIsNotTouched() throws {
    try Self.withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let pipe = "\(folder)/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      let descriptor = open(pipe, O_RDWR | O_NONBLOCK)
      defer { close(descriptor) }
      let magic = SpoolFormat.magic
      #expect(write(descriptor, magic, magic.count) == magic.count)
      #expect(!SpoolReader.recognises(pipe))
      var back = [UInt8](repeating: 0, count: 16)
      #expect(read(descriptor, &back, 16) == magic.count && back.starts(with: magic))
    }
  }

  /// The folder of a sinkhole holds one spool for each of its processes.
  @Test func aFolderOfSpoolsIsRead() throws {
    try Self.withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for sensor in ["dns", "listeners"] { _ = try Self.spool("\(folder)/\(sensor)") }
      #expect(SpoolReader.recognises(folder))
      var count = 0
      let reports = try SpoolReader(path: folder).read { _ in count += 1 }
      #expect(count == 48 && reports.count == 2 && reports.allSatisfy(\.isVerified))
      // Beside anything else it is a folder of logs, in which nothing must be overlooked.
      try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/conn.log"))
      #expect(!SpoolReader.recognises(folder))
    }
  }
}

/// A disk that is full, or that tears one block and does not let it be cut off.
private final class FullDisk: SpoolStorage {
  private let disk = SpoolDisk()
  var isFull = true
  var tearsNext = false
  private var refusesToCut = false

  private func check() throws(SpoolError) {
    if isFull { throw SpoolError(.full, "spool: cannot write: no space left on device") }
  }
  func create(_ path: String) throws(SpoolError) -> Int32 {
    try check()
    return try disk.create(path)
  }
  func write(_ bytes: [UInt8], to descriptor: Int32) throws(SpoolError) {
    try check()
    guard tearsNext else { return try disk.write(bytes, to: descriptor) }
    tearsNext = false
    refusesToCut = true
    try disk.write(Array(bytes.prefix(bytes.count / 2)), to: descriptor)
    throw SpoolError(.full, "spool: cannot write: input/output error")
  }
  func synchronise(_ descriptor: Int32) throws(SpoolError) {
    try check()
    try disk.synchronise(descriptor)
  }
  func truncate(_ descriptor: Int32, to octets: Int) throws(SpoolError) {
    if refusesToCut {
      refusesToCut = false
      throw SpoolError(.full, "spool: cannot cut: input/output error")
    }
    try disk.truncate(descriptor, to: octets)
  }
  func close(_ descriptor: Int32) { disk.close(descriptor) }
  func rename(_ from: String, to: String) throws(SpoolError) {
    try check()
    try disk.rename(from, to: to)
  }
}
