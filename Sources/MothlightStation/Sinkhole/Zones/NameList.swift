/// The names of all orders as they are read, in one block: order and kind in two octets, then the name.
struct NameList {
  private(set) var octets: [UInt8] = []
  private(set) var count = 0

  init() {}

  mutating func reserve(octets more: Int) { octets.reserveCapacity(octets.count &+ more) }

  /// Why a name cannot be served; `octets` stays as it was.
  mutating func append(
    _ text: UnsafeRawBufferPointer, order: Int, mayBeParent: Bool = true
  ) throws(DomainName.Refusal) {
    let isParent = text.count > 2 && text[0] == 0x2a && text[1] == 0x2e
    let name = isParent ? UnsafeRawBufferPointer(rebasing: text[2...]) : text
    guard octets.count &+ name.count &+ 4 < NameSet.Bound.octets else {
      throw .init("is beyond the 4 GiB of names that fit")
    }
    let start = octets.count
    let tag = UInt16(truncatingIfNeeded: order) | (isParent ? NameSet.Kind.parent.rawValue : 0)
    octets.append(UInt8(truncatingIfNeeded: tag >> 8))
    octets.append(UInt8(truncatingIfNeeded: tag))
    do throws(DomainName.Refusal) {
      try DomainName.append(name, to: &octets)
      let labels = DomainName.labels(in: octets[(start &+ 2)...])
      guard labels > 1 || isParent else { throw .init("is a top-level domain, which no order hands over") }
      guard labels <= NameSet.Bound.labels else { throw .init("has more than \(NameSet.Bound.labels) labels") }
      count &+= 1
    } catch {
      octets.removeLast(octets.count &- start)
      throw error
    }
  }
}
