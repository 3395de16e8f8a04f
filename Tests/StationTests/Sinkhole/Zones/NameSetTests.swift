import Testing

@testable import MothlightStation

@Suite struct NameSetTests {
  private func set(_ names: [(String, Int)]) throws -> NameSet {
    var list = NameList()
    for (name, order) in names {
      try Array(name.utf8).withUnsafeBufferPointer { bytes throws(DomainName.Refusal) in
        try list.append(UnsafeRawBufferPointer(bytes), order: order)
      }
    }
    return NameSet(list)
  }

  private func order(
    _ set: NameSet, _ name: String, _ kind: NameSet.Kind = .zone, _ served: (Int) -> Bool = { _ in true }
  )
    throws -> Int?
  {
    let octets = try DomainName(name).octets
    return octets.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.flatMap { start in
        set.order(of: start, length: bytes.count, hash: NameHash.of(start), as: kind, where: served)
      }
    }
  }

  @Test func findsWhatIsThereAndNothingElse() throws {
    let count = 20_000
    let set = try set((0..<count).map { ("n\($0).d\($0 % 7).example", $0 % 3) })
    #expect(set.count == count)
    for i in 0..<count {
      #expect(try order(set, "n\(i).d\(i % 7).example") == i % 3)
      #expect(try order(set, "n\(i).d\((i + 1) % 7).example") == nil)
    }
    #expect(set.zoneLabels == 1 << 3 && set.parentLabels == 0)
  }

  @Test func kindsAndOrdersAreKeptApart() throws {
    let set = try set([("a.example", 1), ("*.a.example", 2), ("a.example", 3), ("a.example", 1)])
    #expect(set.count == 3, "what one order gives twice counts once")
    #expect(try order(set, "a.example") == 1)
    #expect(try order(set, "a.example", .zone) { $0 == 3 } == 3)
    #expect(try order(set, "a.example", .zone) { _ in false } == nil)
    #expect(try order(set, "a.example", .parent) == 2)
    var seen: [String] = []
    set.visit { name, order, kind in seen.append("\(order)\(kind)") }
    #expect(seen.sorted() == ["1zone", "2parent", "3zone"])
  }

  @Test func emptySetHasNothing() throws {
    #expect(try order(NameSet(NameList()), "a.example") == nil)
  }

  /// 31 octets for a name of twenty: what the documentation says.
  @Test func memoryIsAsStated() throws {
    let set = try set((0..<10_000).map { ("abcdefghij\($0 + 10_000).example", 0) })
    #expect(set.memory / set.count <= 40)
    #expect(set.memory / set.count >= 30)
  }

  @Test(arguments: ["example", "a", String(repeating: "a.", count: 31) + "example"])
  func refusesWhatNoOrderCovers(_ name: String) {
    #expect(throws: DomainName.Refusal.self) { try set([(name, 0)]) }
  }
}
