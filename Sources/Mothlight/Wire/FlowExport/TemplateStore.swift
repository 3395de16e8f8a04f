/// The templates of one exporter, bounded: who sends more of them than it uses pushes out its own.
struct TemplateStore {
  enum Outcome { case new, same, changed, pushedOut, refused }

  /// Time without data after which a used template may make room for a new one: six usual refreshes of 5 minutes.
  private static let staleNanoseconds: Int64 = 1_800_000_000_000

  let templatesMost: Int
  private(set) var templates: [UInt16: ExportTemplate] = [:]
  /// Fields of all templates, which is what takes room.
  private(set) var fieldCount = 0

  init(templatesMost: Int) { self.templatesMost = max(1, templatesMost) }

  @inline(__always) subscript(id: UInt16) -> ExportTemplate? { templates[id] }

  /// Whether `id` stands for these fields already; notes that it was said again.
  func isKnown(_ id: UInt16, _ fields: [ExportTemplate.Field], isOptions: Bool, at arrival: Int64) -> Bool {
    guard let old = templates[id], old.fields == fields, old.isOptions == isOptions else { return false }
    old.lastUse = max(old.lastUse, arrival)
    return true
  }

  /// - Complexity: O(templates) when the store is full, else O(1).
  mutating func add(_ id: UInt16, _ template: ExportTemplate) -> Outcome {
    if let old = templates[id] {
      fieldCount += template.fields.count - old.fields.count
      templates[id] = template
      return .changed
    }
    var outcome = Outcome.new
    if templates.count >= templatesMost {
      guard makeRoom(at: template.lastUse) else { return .refused }
      outcome = .pushedOut
    }
    templates[id] = template
    fieldCount += template.fields.count
    return outcome
  }

  /// Takes out the oldest that was never used, else the longest unused if it is stale.
  private mutating func makeRoom(at now: Int64) -> Bool {
    var victim: (id: UInt16, template: ExportTemplate)?
    for (id, template) in templates {
      guard let best = victim else {
        victim = (id, template)
        continue
      }
      let isBetter =
        template.isUsed == best.template.isUsed
        ? (template.lastUse, id) < (best.template.lastUse, best.id) : !template.isUsed
      if isBetter { victim = (id, template) }
    }
    guard let victim else { return false }
    guard !victim.template.isUsed || now &- victim.template.lastUse > Self.staleNanoseconds else { return false }
    remove(victim.id)
    return true
  }

  mutating func remove(_ id: UInt16) {
    guard let old = templates.removeValue(forKey: id) else { return }
    fieldCount -= old.fields.count
  }

  mutating func removeAll(isOptions: Bool) {
    for (id, template) in templates where template.isOptions == isOptions { remove(id) }
  }
}
