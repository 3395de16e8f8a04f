/// What the records of one set hold: the fields that are understood, with their places (RFC 7011 section 3.4.1).
///
/// A class, since a template is found once a set and used for all its records.
final class ExportTemplate {
  /// A field as it was announced.
  struct Field: Hashable {
    var id: UInt16
    /// 65535: its length stands in each record (RFC 7011 section 7).
    var length: UInt16
    var enterprise: UInt32
    var isScope: Bool
  }
  /// A field that is understood, in records of fixed length.
  struct Step {
    var offset: UInt16
    var length: UInt16
    var element: ExportElement
  }

  static let variable = UInt16.max

  let fields: [Field]
  let isOptions: Bool
  /// Empty for records of variable length, which are walked field by field.
  let steps: [Step]
  let elements: [ExportElement]
  /// Octets of a record; of the shortest one when `isVariable`. Never 0.
  let recordOctets: Int
  let isVariable: Bool
  /// Arrival of the last set that used it, or of itself, in nanoseconds.
  var lastUse: Int64
  /// Whether data came for it: what nobody uses goes first when room is short.
  var isUsed = false

  /// - Parameter isIPFIX: scopes of NetFlow v9 have numbers of their own and are passed over.
  /// - Returns: `nil` when its records would have no octets or more than a datagram has.
  init?(_ fields: [Field], isOptions: Bool, isIPFIX: Bool, at arrival: Int64) {
    var offset = 0
    var steps: [Step] = []
    var elements: [ExportElement] = []
    var isVariable = false
    for field in fields {
      let length = field.length == Self.variable ? 1 : Int(field.length)
      isVariable = isVariable || field.length == Self.variable
      let element =
        field.isScope && !isIPFIX
        ? .ignored
        : ExportElement(field.id, enterprise: field.enterprise, length: UInt16(length), isScope: field.isScope)
      elements.append(element)
      if element != .ignored, offset <= Int(UInt16.max) {
        steps.append(Step(offset: UInt16(offset), length: UInt16(length), element: element))
      }
      offset += length
    }
    guard offset > 0, offset <= Int(UInt16.max) else { return nil }
    self.fields = fields
    self.isOptions = isOptions
    self.steps = isVariable ? [] : steps
    self.elements = isVariable ? elements : []
    recordOctets = offset
    self.isVariable = isVariable
    lastUse = arrival
  }
}

/// Walks the templates of one template set or options template set. Bad ones end the set, as their lengths mean nothing.
struct TemplateWalk: ~Escapable {
  enum Item {
    case template(id: UInt16, [ExportTemplate.Field], isOptions: Bool)
    /// RFC 7011 section 8.1; id 2 or 3 takes back all of a kind.
    case withdrawal(id: UInt16)
    /// More fields than `fieldsMost`; passed over.
    case tooLong(id: UInt16)
  }

  private var cursor: WireCursor
  private let isOptions: Bool
  private let isIPFIX: Bool
  private let fieldsMost: Int

  @_lifetime(copy set)
  init(_ set: RawSpan, isOptions: Bool, isIPFIX: Bool, fieldsMost: Int) {
    cursor = WireCursor(set)
    self.isOptions = isOptions
    self.isIPFIX = isIPFIX
    self.fieldsMost = fieldsMost
  }

  /// `nil` at the end, which padding is part of.
  mutating func next() throws(DecodeError) -> Item? {
    guard cursor.remaining >= 4 else { return nil }
    let id = try cursor.u16()
    let first = try cursor.u16()
    if isIPFIX, first == 0, id > 1 { return .withdrawal(id: id) }
    // Padding that is longer than it should be.
    if id == 0, first == 0 { return nil }
    guard id >= 256 else { throw .malformed }
    var count = Int(first)
    var scopes = 0
    if isOptions {
      let second = Int(try cursor.u16())
      if isIPFIX {
        scopes = second
      } else {
        // NetFlow v9 gives octets of scopes and of options (RFC 3954 section 6.1).
        guard first & 3 == 0, second & 3 == 0 else { throw .malformed }
        scopes = count / 4
        count = scopes + second / 4
      }
      guard scopes <= count else { throw .malformed }
    }
    guard count > 0, count &* 4 <= cursor.remaining else { throw .truncated }
    let isTooLong = count > fieldsMost
    var fields: [ExportTemplate.Field] = []
    if !isTooLong { fields.reserveCapacity(count) }
    for n in 0..<count {
      let field = try field(isScope: n < scopes)
      if !isTooLong { fields.append(field) }
    }
    return isTooLong ? .tooLong(id: id) : .template(id: id, fields, isOptions: isOptions)
  }

  private mutating func field(isScope: Bool) throws(DecodeError) -> ExportTemplate.Field {
    var id = try cursor.u16()
    let length = try cursor.u16()
    var enterprise: UInt32 = 0
    if isIPFIX, id & 0x8000 != 0 {
      id &= 0x7fff
      enterprise = try cursor.u32()
    }
    // In NetFlow v9 there are no records of variable length: such a field is as long as it says.
    guard isIPFIX || length != ExportTemplate.variable else { throw .malformed }
    return ExportTemplate.Field(id: id, length: length, enterprise: enterprise, isScope: isScope)
  }
}
