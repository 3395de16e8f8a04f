/// Words that bodies are full of: what detectors and the judge say again and again. Stores hold places in this text, so no letter
/// of it is ever changed; a test holds its SHA-256. Other words take another version of the bodies.
enum BodyWords {
  static let octets = Array(text.utf8)

  /// Where four octets were last seen in the text, plus one.
  static let slots: [UInt16] = {
    var slots = [UInt16](repeating: 0, count: 1 << 12)
    for at in 0...(octets.count - 4) {
      let four = (0..<4).reduce(0 as UInt32) { $0 | UInt32(octets[at + $1]) << UInt32(8 * $1) }
      slots[Int(PackedBody.slot(four))] = UInt16(at + 1)
    }
    return slots
  }()

  private static let text = """
    this machine scans the Internet or manages devices in many networks on purpose
    this machine is an authorised scanner or inventory, or its network was down and all contacts failed
    this machine is a mail relay or sends newsletters on purpose
    these machines are a pool of authorised scanners
    somebody meant to fetch this program from , and it is what its maker published
    software on this machine that is known to poll every 
    file sharing, a game or a voice program on this machine
    automation that logs in to this service on purpose
    an inventory, a monitor or an administrator's machine that looks for devices here
    an authorised port scan from this machine
    an application with advertisements, or a browser that is set to send no referrer
    an appliance, VPN, Tor or remote administration on this machine that uses 
    a service on many providers or a pool of volunteers that owns this name
    a script or monitor on this machine that queries this service in a loop
    a push, chat, game or remote-access program on this machine that uses this port
    a public service that strangers are meant to reach, or a known administrator's address
    a program that these machines share and that wakes for all of them at once
    a program on this machine with an outdated key or password
    a program on this machine whose many servers are gone, or an authorised scanner
    a program on this machine that opens a connection for every request to 
    a program on this machine that is known to send this request to 
    a program on this machine that is built to use this address
    a program on this host that checks lists of names, or a resolver or mail filter role for it
    a person on this machine who chats, or a chat robot that its owner runs
    a one-way export to this address that is meant to be (media, logs, a tunnel), or a one-sided capture
    a crawler, feed reader or scanner on this machine that asks many sites for this path
    a back-up, an upload or a call that the machine's user knows of
    networks /16 networks requests targets addresses odd_names_connected registered domains/h
    median_name_llr nat gap_dispersion timer_log_odds spread networks per address signs servers packets packet_rate
    packets/s packets/min nx_share share machines hosts look_ups_not_counted look-ups kinds_of_signs kinds
    gap_entropy failed_share duration attempts connections/s connections/min connections/h answered unanswered
    word_names without_server_name handshakes without_referrer web_networks_failed untyped answers tries surprise
    ssh_networks sources shared_hosting share_on_three_ports share_of_time_online share_of_requests
    share_of_proxied_requests shapes_of_server servers_in_an_hour server_answers datagrams served_look_ups
    reserved_targets request_size_dispersion refused log-ins ratio_of_others sent over received rate octets/s
    processor_types ports peers packets_per_port overlap other_objects octets_sent octets_per_try octets_per_packet
    nx_domains nicknames networks_of_all median_exchange matches records messages longest log_bayes_factor list_age
    years length_spread characters largest_exchange kinds_of_oddities keepalives keepalive_regularity joint_moments
    joins hosts_with_hellos hosts_here host_hours_online highest_ttl harmonic_comb generated_share generated_names
    failed_ports failed_first_contacts expired ending_share do_not_exist distinct_label_share distinct_addresses
    dispersion_out dispersion_in different_hellos hellos conversations connected common_piece_share channels
    by_chance moments autocorrelation standard deviations attempt_rate answer_size_dispersion answer_octets
    addresses_spoken_to ratio period jitter starts prevalence share of our hosts use it is a known service 
    One exact match suffices: 
    2 independent kinds of evidence agree (3 independent kinds of evidence agree (
    One kind of evidence is over the bar (); a second, independent one is missing.
    Nothing that this sensor can see pointed to infection in  flows.
    Only weak hints, none over the bar (when it talks; whom it tries to reach; which names it asks for; what it says; 
     Its findings follow each other as in an infection, which counts for more.
    Only its own packets were seen: whether anything answered is unknown.
    Its DNS look-ups were not seen: what its peers are called, and names that do not exist, are unknown.
    It was seen for  min only: a slow call-home cannot show in that.
    not_enough_data no_sign suspicious infected called_home fetched scanned attacked looked_around
    was tried at port  from tried  machines on ; of all its first contacts failed without success
    spoke IRC with asked for  odd registered domains that do not exist within an hour sent  and received 
    in-addr.arpa .example.com www.cloudfront.net api. cdn. .amazonaws.com .googleusercontent.com update.
     connections to /tcp /udp (UDP port ) one every  h  min  s, on time within  %, for 
    began 144 connections to  port 443/tcp, one every 300 s
    """
}
