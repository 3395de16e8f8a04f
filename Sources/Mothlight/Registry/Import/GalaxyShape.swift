/// A cluster of the MISP galaxy (schema_clusters.json of misp-galaxy): names, UUIDs, synonyms, references, relations. Its
/// descriptions are not taken: they are others' texts.
enum GalaxyShape {
  private enum Bound {
    static let aliases = 256
    static let references = 256
    static let relations = 256
    static let referenceOctets = 2048
  }

  static func recognise(_ tree: JSONTree) -> Bool {
    guard tree["values"]?.array != nil else { return false }
    return tree["type"]?.string != nil || tree["uuid"]?.string != nil
  }

  static func read(_ tree: JSONTree, into result: inout RegistryImport) {
    let kind = kind(ofCluster: tree["type"]?.string ?? "")
    for value in tree["values"]?.array ?? [] {
      result.read += 1
      do throws(FeedRow.Problem) {
        result.entries.append(try entry(value, kind))
      } catch { result.skip(line: value.members?.line ?? 1, error.what) }
    }
  }

  /// Malware clusters hold families, not botnets.
  private static func kind(ofCluster type: String) -> Botnet.Kind {
    switch type {
    case "botnet": .botnet
    case "rat", "tool", "tds", "mitre-tool": .tool
    default: .family
    }
  }

  private static func entry(_ value: JSONTree, _ kind: Botnet.Kind) throws(FeedRow.Problem) -> RegistryImport.Entry {
    guard let members = value.members, let name = members["value"]?.string, !name.isEmpty else {
      throw FeedRow.Problem("an entry without a name ('value')")
    }
    guard name.utf8.count <= BotnetName.octetsMost else {
      throw FeedRow.Problem("a name of more than \(BotnetName.octetsMost) octets")
    }
    let id = members["uuid"]?.string.flatMap { BotnetName.uuid($0) }
    var entry = RegistryImport.Entry(id: id, name: name, kind: kind, isKindStated: true, line: members.line)
    if let id { entry.identifiers.append(Botnet.Identifier(scheme: "misp-galaxy", value: id)) }
    let meta = members["meta"]
    let synonyms = meta?["synonyms"]?.array?.compactMap(\.string) ?? []
    entry.aliases = synonyms.filter { !$0.isEmpty && $0.utf8.count <= BotnetName.octetsMost }.prefix(Bound.aliases).map
    { $0 }
    let references = meta?["refs"]?.array?.compactMap(\.string) ?? []
    entry.references = references.filter { $0.utf8.count <= Bound.referenceOctets }.prefix(Bound.references).map { $0 }
    entry.dated = meta?["date"]?.scalarText.map { String($0.prefix(64)) }
    for related in members["related"]?.array?.prefix(Bound.relations) ?? [] {
      guard let type = related["type"]?.string,
        let target = related["dest-uuid"]?.string.flatMap({ BotnetName.uuid($0) })
      else { continue }
      entry.relations.append(Botnet.Relation(kind: String(type.prefix(64)), target: target))
      if type == "variant-of", kind == .botnet { entry.kind = .variant }
    }
    if let malpedia = meta?["malpedia"]?.string ?? malpediaName(of: entry.references) {
      entry.identifiers.append(Botnet.Identifier(scheme: "malpedia", value: malpedia.lowercased()))
    }
    return entry
  }

  /// `elf.mirai` out of a reference to Malpedia's page of it.
  private static func malpediaName(of references: [String]) -> String? {
    for reference in references {
      guard let mark = reference.firstRange(of: "malpedia.caad.fkie.fraunhofer.de/details/") else { continue }
      let name = reference[mark.upperBound...].prefix { $0.isLetter || $0.isNumber || "._-".contains($0) }
      if name.contains("."), name.utf8.count <= 128 { return String(name) }
    }
    return nil
  }
}
