import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

/// Who and why: no edit goes without.
struct EditChoice: ParsableArguments {
  @Option(help: "Why; kept with the edit.")
  var reason: String

  @Option(help: "Who. Default: the user's name.")
  var author: String?

  func edit() throws -> Edit {
    let author = author ?? Author.current
    for (name, text) in [("--reason", reason), ("--author", author)] {
      guard !text.isEmpty, text.utf8.count <= 500 else { throw ValidationError("\(name) takes 1 to 500 letters") }
    }
    return Edit(author: author, reason: reason, time: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
  }
}

/// Facts that an edit may add.
struct FactChoice: ParsableArguments {
  @Option(name: .customLong("protocol"), help: "What it speaks, such as irc, http, p2p-udp; may be repeated.")
  var protocols: [String] = []

  @Option(help: "Where it is described; may be repeated.")
  var reference: [String] = []

  func additions(notes: [String] = []) throws -> Ledger.Additions {
    for text in protocols + reference + notes {
      guard !text.isEmpty, text.utf8.count <= 4096 else { throw ValidationError("a text takes 1 to 4096 letters") }
    }
    var additions = Ledger.Additions()
    additions.protocols = protocols
    additions.references = reference
    additions.notes = notes
    return additions
  }
}

private func checked(name: String) throws -> String {
  guard !name.isEmpty, name.utf8.count <= BotnetName.octetsMost else {
    throw ValidationError("a name takes 1 to \(BotnetName.octetsMost) octets")
  }
  return name
}

extension RegistryCommand {
  /// `mothlight registry add NAME`.
  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Add a botnet by hand.")

    @OptionGroup var choice: StoreChoice
    @OptionGroup var who: EditChoice
    @OptionGroup var facts: FactChoice

    @Argument(help: "Its name.")
    var name: String

    @Option(help: "botnet, variant, family or tool.")
    var kind = "botnet"

    @Option(help: "Another name of it; may be repeated.")
    var alias: [String] = []

    @Option(help: "What it is a variant of.")
    var variantOf: String?

    func run() throws {
      let kind = try word(variantOf == nil ? kind : "variant", Botnet.Kind.self, "--kind")
      let (name, aliases) = (try checked(name: name), try alias.map { try checked(name: $0) })
      let (edit, additions) = (try who.edit(), try facts.additions())
      let id = try choice.with(.create) { ledger in
        try ledger.add(name, kind: kind, aliases: aliases, variantOf: variantOf, additions: additions, by: edit)
      }
      try Output.write("\(id)\n")
    }
  }

  /// `mothlight registry alias NAME ALIAS`.
  struct Alias: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give a botnet another name, or take one back.")

    @OptionGroup var choice: StoreChoice
    @OptionGroup var who: EditChoice

    @Argument(help: "Name or id.")
    var name: String

    @Argument(help: "The other name.")
    var alias: String

    @Flag(help: "Take it back; only names that a person gave.")
    var remove = false

    func run() throws {
      let (alias, edit) = (try checked(name: alias), try who.edit())
      try choice.with { try $0.alias(alias, of: name, remove: remove, by: edit) }
    }
  }

  /// `mothlight registry note NAME [TEXT]`.
  struct Note: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Note something about a botnet, or set its kind.")

    @OptionGroup var choice: StoreChoice
    @OptionGroup var who: EditChoice
    @OptionGroup var facts: FactChoice

    @Argument(help: "Name or id.")
    var name: String

    @Argument(help: "The note.")
    var text: String?

    @Option(help: "Set its kind: botnet, variant, family or tool.")
    var kind: String?

    func run() throws {
      let kind = try kind.map { try word($0, Botnet.Kind.self, "--kind") }
      let (edit, additions) = (try who.edit(), try facts.additions(notes: text.map { [$0] } ?? []))
      guard kind != nil || text != nil || !facts.protocols.isEmpty || !facts.reference.isEmpty else {
        throw ValidationError("nothing to note: give a text, --protocol, --reference or --kind")
      }
      try choice.with { try $0.note(additions, on: name, kind: kind, by: edit) }
    }
  }

  /// `mothlight registry takedown NAME`.
  struct Takedown: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Record that something was done against a botnet.")

    @OptionGroup var choice: StoreChoice
    @OptionGroup var who: EditChoice

    @Argument(help: "Name or id.")
    var name: String

    @Option(help: "UTC day, YYYY-MM-DD.")
    var day: String

    @Option(help: "Who did it.")
    var by: String

    @Option(help: "sinkholed, dead, or disrupted (which changes no status).")
    var outcome: String

    @Option(help: "What was done, and by which law.")
    var method = ""

    func run() throws {
      let outcome = try word(outcome, TakedownRecord.Outcome.self, "--outcome")
      guard let number = CivilDay.parse(day) else {
        throw ValidationError("--day: '\(day)' is no day such as 2026-01-31")
      }
      let (by, edit) = (try checked(name: by), try who.edit())
      let takedown = TakedownRecord(
        day: number, by: by, outcome: outcome, method: String(method.prefix(1000)),
        origin: Origin(source: edit.source, date: edit.time))
      try choice.with { try $0.takedown(takedown, of: name, by: edit) }
    }
  }

  /// `mothlight registry history`.
  struct History: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Who changed what, and why; the newest first.")

    @OptionGroup var choice: StoreChoice

    @Option(help: "At most this many rows.")
    var limit = 50

    func run() throws {
      let rows = try choice.with { try $0.audit(limit: max(0, limit)) }
      for row in rows {
        let text = "\(row.time) \(row.author) \(row.action) \(row.subject): \(row.detail) (\(row.reason))"
        try Output.write(Terminal.printable(text.replacingOccurrences(of: "\n", with: " ")) + "\n")
      }
    }
  }
}
