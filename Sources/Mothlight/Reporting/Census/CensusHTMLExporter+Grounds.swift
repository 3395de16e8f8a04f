/// What the numbers rest on, and what other estimators say of the same.
extension CensusHTMLExporter {
  func comparison(_ digest: CensusDigest) -> Markup {
    let others = digest.report.others.prefix(Self.rowsShown)
    guard !others.isEmpty else { return "" }
    var out: Markup = """
      <section aria-labelledby="others"><h2 id="others">What each kind of evidence says</h2>
      <div class="scroll" role="region" aria-label="Estimators" tabindex="0"><table class="cc"><thead><tr><th scope="col">Quantity</th>\
      <th scope="col">Machines</th><th scope="col">95 %</th><th scope="col">Addresses</th><th scope="col">×</th>\
      <th scope="col">Grade</th></tr></thead><tbody>

      """
    for figure in others {
      let mark: Markup = figure.machines != nil && digest.isRefused(figure) ? " <small>refused</small>" : ""
      out += """
        <tr><th scope="row">\(CensusWords.label(figure.kind))</th>\
        <td>\(figure.machines.map { CensusWords.machines($0.value) } ?? "not stated")\(mark)</td>\
        <td>\(figure.machines.map(CensusWords.interval) ?? figure.atMost.map { "at most \(CensusWords.machines($0))" } ?? "–")</td>\
        <td>\(CensusWords.machines(figure.addresses))</td><td>\(CensusWords.factor(figure.inflation))</td>\
        <td>\(figure.grade.rawValue), \(CensusWords.label(figure.grade))</td></tr>

        """
    }
    out += "</tbody></table></div>"
    if others.contains(where: { $0.machines != nil && digest.isRefused($0) }) {
      out +=
        "<p>Refused: this kind of evidence does not carry that number here, as said above. It stands here to be compared, not to be quoted.</p>"
    }
    out += "<p class=\"prov\">\(digest.provenance())</p></section>\n"
    return out
  }

  func grounds(_ edition: CensusEdition, _ digest: CensusDigest) -> Markup {
    var items: Markup = ""
    for (name, text) in digest.grounds { items += "<dt>\(name)</dt><dd><bdi>\(text)</bdi></dd>" }
    return """
      <section aria-labelledby="grounds"><h2 id="grounds">What it rests on</h2>
      <p>A number from here is worth no more than this, and must not be quoted without its window and its grade.</p>
      <dl class="terms grounds">\(items)</dl></section>

      """
  }
}
