import Foundation
import Testing

@testable import Mothlight

/// `mothlight users` as an admin runs it.
@Suite struct UsersCommandTests {
  private func users(_ folder: String, _ arguments: [String], input: String = "") throws -> BuiltProgram.Outcome {
    try BuiltProgram.run(
      ["users"] + arguments + ["--data", folder], input: Data(input.utf8), environment: ["USER": "tester"])
  }

  /// A data folder that is not there yet.
  private func withFolder(_ body: (String) throws -> Void) throws {
    try BuiltProgram.withFolder { try body($0.path + "/data") }
  }

  @Test func usersComeAndGo() throws {
    try withFolder { folder throws in
      let password = "four words of mine"
      let none = try users(folder, ["list"])
      #expect(none.status == 2 && none.err.contains("mothlight users add"))
      let first = try users(folder, ["add", "alice", "--role", "viewer"], input: password + "\n")
      #expect(first.status == 2 && first.err.contains("has to be an admin"))
      let added = try users(folder, ["add", "Alice", "--role", "admin"], input: password + "\n")
      #expect(added.status == 0 && added.out == "added alice as admin\n", "\(added.err)")
      let weak = try users(folder, ["add", "bob", "--role", "viewer"], input: "short\n")
      #expect(weak.status == 2 && weak.err.contains("too short") && !weak.err.contains("short\n"))
      #expect(try users(folder, ["add", "bob", "--role", "viewer"], input: "").status == 2, "no password, no user")
      #expect(try users(folder, ["add", "bob", "--role", "viewer"], input: password).status == 0)
      #expect(try users(folder, ["role", "alice", "viewer"]).err.contains("nobody as admin"))
      #expect(try users(folder, ["passwd", "bob"], input: "other words of mine\n").status == 0)
      #expect(try users(folder, ["passwd", "nobody"], input: password).status == 2)
      let list = try users(folder, ["list"]).out.split(separator: "\n")
      #expect(list.count == 2 && list[0].hasPrefix("alice\tadmin\tactive\t") && list[1].hasPrefix("bob\tviewer\t"))
      #expect(try users(folder, ["remove", "bob"]).status == 0)
      #expect(try users(folder, ["remove", "bob"]).status == 2)
    }
  }

  /// A password among the arguments would be read by every user of the machine, and kept by the shell.
  @Test func passwordsAreNoArguments() throws {
    try withFolder { folder throws in
      for option in ["--password", "-p", "--passwd"] {
        #expect(try users(folder, ["add", "alice", "--role", "admin", option, "four words of mine"]).status == 2)
      }
      #expect(try users(folder, ["add", "alice", "four words of mine", "--role", "admin"]).status == 2)
    }
  }

  @Test func tokensAreShownOnce() throws {
    try withFolder { folder throws in
      #expect(try users(folder, ["add", "alice", "--role", "admin"], input: "four words of mine\n").status == 0)
      let made = try users(folder, ["token", "add", "alice", "prometheus"])
      let token = made.out.trimmingCharacters(in: .newlines)
      #expect(made.status == 0 && Secret(token: token) != nil)
      let list = try users(folder, ["token", "list"]).out
      #expect(list.hasPrefix("1\talice\tprometheus\tviewer\tends ") && !list.contains(token))
      #expect(try users(folder, ["token", "add", "alice", "prometheus"]).status == 2)
      #expect(try users(folder, ["add", "vic", "--role", "viewer"], input: "four words of mine\n").status == 0)
      let high = try users(folder, ["token", "add", "vic", "mon", "--role", "admin"])
      #expect(high.status == 2 && high.out.isEmpty && high.err.contains("'vic' is viewer, so a token cannot be admin"))
      #expect(try users(folder, ["token", "end", "1"]).status == 0)
      #expect(try users(folder, ["token", "end", "1"]).status == 2)
      let mode = try FileManager.default.attributesOfItem(atPath: folder + "/store.sqlite")[.posixPermissions]
      #expect((mode as? NSNumber)?.intValue == 0o600)
    }
  }
}
