import Testing

@testable import Mothlight

@Suite struct SourceTableTests {
  private func table(_ sources: Int) throws -> SourceTable<UInt32> {
    let memory = try TallyMemory(octets: SourceTable<UInt32>.octets(for: sources), path: nil)
    return SourceTable(sources: sources, memory: memory, offset: 0, seed: 7)
  }

  @Test func anEntryTakesHalfACacheLine() {
    #expect(MemoryLayout<SourceEntry<UInt32>>.stride == 32)
    #expect(MemoryLayout<SourceEntry<UInt64>>.stride == 40)
  }

  /// Against a dictionary, with removals in between, so that gaps are closed right.
  @Test func itHoldsWhatADictionaryHolds() throws {
    let table = try table(4096)
    var model: [UInt64: UInt32] = [:]
    var random = RandomSource(seed: 3)
    for step in 0..<40_000 {
      let key = UInt32.random(in: 0..<900, using: &random)
      let botnet = UInt16.random(in: 0..<4, using: &random)
      let name = UInt64(key) << 16 | UInt64(botnet)
      if step % 3 == 2 {
        if let index = table.find(key, botnet) {
          #expect(model[name] == table.record(index).pointee.count)
          table.remove(index)
          model[name] = nil
        } else {
          #expect(model[name] == nil)
        }
      } else {
        let (index, isNew) = try #require(table.findOrInsert(key, botnet))
        #expect(isNew == (model[name] == nil))
        table.record(index).pointee.count += 1
        model[name, default: 0] += 1
      }
    }
    #expect(table.count == model.count)
    for (name, count) in model {
      let index = try #require(table.find(UInt32(name >> 16), UInt16(name & 0xffff)))
      #expect(table.record(index).pointee.count == count)
    }
  }

  @Test func aFullTableRefusesAndCounts() throws {
    let table = try table(1024)
    for key in 0..<UInt32(2000) { _ = table.findOrInsert(key, 1) }
    #expect(table.count == table.limit)
    #expect(table.refused == 2000 - UInt64(table.limit))
    #expect(table.findOrInsert(0, 1)?.isNew == false)
  }

  @Test func oneSourceCannotFillTheTable() throws {
    let table = try table(1024)
    for botnet in 0..<UInt16(100) { _ = table.findOrInsert(42, botnet) }
    #expect(table.count == SourceTable<UInt32>.botnetsMost)
    #expect(table.refusedBotnets == 100 - UInt64(table.count))
    var seen = 0
    table.forEach(of: 42) { _ in seen += 1 }
    #expect(seen == table.count)
  }

  @Test func fieldsOfTheStateDoNotOverlap() {
    var record = SourceRecord()
    record.isUsed = true
    record.level = 3
    record.visitor = 7
    record.samples = 2
    record.factor = 12
    record.isStream = true
    record.samples = 1
    #expect(record.isUsed && record.level == 3 && record.visitor == 7 && record.samples == 1 && record.factor == 12)
    #expect(record.isStream)
    record.visitor = 0
    #expect(record.isUsed && record.level == 3 && record.visitor == 0 && record.factor == 12)
  }
}
