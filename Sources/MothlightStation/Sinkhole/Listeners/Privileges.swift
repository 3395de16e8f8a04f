import CLinux
import Glibc
import Mothlight

/// Gives up root for good once all ports are open.
public enum Privileges {
  /// Becomes `user`, without supplementary groups, and forbids new privileges for this process and all its children.
  /// - Throws: one line when the user is unknown or any step fails or can be undone.
  public static func drop(to user: String) throws(ListenError) {
    if let problem = Self.problem(becoming: user, asRoot: getuid() == 0) {
      throw ListenError("drop_privileges: \(problem)")
    }
    let entry = try Self.entry(of: user)
    if getuid() == 0 {
      guard clinux_drop_groups() == 0, setgid(entry.group) == 0, setuid(entry.user) == 0 else {
        throw ListenError("drop_privileges: cannot become '\(user)': \(String(cString: strerror(errno)))")
      }
    }
    try forbidNew()
    // Believed only when the way back is shut.
    guard getuid() == entry.user, geteuid() == entry.user, getgid() == entry.group, getegid() == entry.group,
      setuid(0) != 0, getgroups(0, nil) <= 1
    else { throw ListenError("drop_privileges: still privileged after becoming '\(user)'") }
  }

  /// Why nobody can become `user`, as one line without its place; `nil` when it can be done.
  /// - Parameter asRoot: whether root is to become it, who may become anybody.
  public static func problem(becoming user: String, asRoot: Bool) -> String? {
    guard let entry = try? Self.entry(of: user) else { return "no user '\(user)'; create it first" }
    guard entry.user != 0, entry.group != 0 else { return "'\(user)' is root; name a user without rights" }
    guard asRoot || getuid() == entry.user else { return "started as another user than '\(user)' and not as root" }
    return nil
  }

  private static func entry(of user: String) throws(ListenError) -> (user: uid_t, group: gid_t) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var room = [CChar](repeating: 0, count: 16_384)
    let code = user.withCString { getpwnam_r($0, &entry, &room, room.count, &found) }
    guard code == 0, found != nil else { throw ListenError("drop_privileges: no user '\(user)'; create it first") }
    return (entry.pw_uid, entry.pw_gid)
  }

  /// Hands a folder and the files in it to `user`, who will write there once root is given up.
  public static func give(_ folder: String, to user: String) throws(ListenError) {
    let entry = try Self.entry(of: user)
    guard let handle = opendir(folder) else { throw ListenError("\(folder): \(String(cString: strerror(errno)))") }
    defer { closedir(handle) }
    var paths = [folder]
    while let item = readdir(handle) {
      let name = withUnsafePointer(to: &item.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { paths.append("\(folder)/\(name)") }
    }
    for path in paths where lchown(path, entry.user, entry.group) != 0 {
      throw ListenError("\(path): cannot be given to '\(user)': \(String(cString: strerror(errno)))")
    }
  }

  /// `no_new_privs`: no program started from here gains anything by set-user-id or file capabilities.
  public static func forbidNew() throws(ListenError) {
    guard clinux_no_new_privileges() == 0, clinux_has_no_new_privileges() == 1 else {
      throw ListenError("no_new_privs: \(String(cString: strerror(errno)))")
    }
  }

  public static var isRoot: Bool { geteuid() == 0 }
}
