// Registry practice as each registry publishes it (second levels open to registrants), and well-known services that give
// sub-domains to strangers. Kept short on purpose: breadth belongs to the loadable list.
extension PublicSuffix {
  /// Second levels that mean the same under nearly every country code.
  static let commonSecondLevel = "ac co com edu gob gouv gov govt mil ne net nom or org"

  /// Country code, then further second levels there.
  static let countryTable = [
    "ae: sch", "ar: int musica tur", "at: gv", "au: asn id act nsw nt qld sa tas vic wa",
    "br: adm adv agr am arq art ato b bio blog cim coop ecn eco emp eng esp etc eti far flog fm fot g12 ggf imb ind inf jor jus "
      + "leg lel mat med mp mus not ntr odo ppg pro psc psi qsl radio rec slg srv taxi teo tmp trd tur tv vet vlog wiki zlg",
    "cn: ah bj cq fj gd gs gx gz ha hb he hi hk hl hn jl js jx ln mo nm nx qh sc sd sh sn sx tj tw xj xz yn zj "
      + "xn--55qx5d xn--io0a7i xn--od0alg",
    "cy: biz ltd press pro tm", "fr: asso prd tm", "hk: idv xn--55qx5d xn--wcvs22d",
    "hu: 2000 agrar bolt forum games hotel info ingatlan media news priv shop sport tm video",
    "id: biz desa go my sch web", "il: k12 muni idf", "in: firm gen ind nic res", "ir: id sch",
    "it: edu gov", "ke: go info me mobi sc",
    "jp: ad ed go gr lg aichi akita aomori chiba ehime fukui fukuoka fukushima gifu gunma hiroshima hokkaido hyogo ibaraki "
      + "ishikawa iwate kagawa kagoshima kanagawa kochi kumamoto kyoto mie miyagi miyazaki nagano nagasaki nara niigata oita "
      + "okayama okinawa osaka saga saitama shiga shimane shizuoka tochigi tokushima tokyo tottori toyama wakayama yamagata "
      + "yamaguchi yamanashi",
    "kr: es go hs kg ms pe re sc busan daegu daejeon gangwon gwangju gyeongbuk gyeonggi gyeongnam incheon jeju seoul ulsan",
    "my: biz name", "ng: mobi name sch", "nz: cri geek gen health iwi kiwi maori parliament school", "ph: ngo",
    "pk: biz fam gok gop web",
    "pl: agro aid atm auto biz gmina gsm info mail media miasta pc powiat priv rel sex shop sklep sos "
      + "szkola targi tm tourism travel turystyka waw",
    "pt: int nome publ", "ro: arts firm info nt rec store tm www", "ru: msk spb", "th: go in mi",
    "tr: av bbs bel biz dr gen info k12 kep name pol tel tsk tv web",
    "tw: club ebiz game idv",
    "ua: in cherkassy chernigov chernovtsy ck cn crimea cv dn dnepropetrovsk donetsk dp if ivano-frankivsk kh kharkiv kharkov "
      + "kherson kiev kirovograd km kr ks kv kyiv lg lt lugansk lutsk lviv mk nikolaev od odesa odessa pl poltava rivne rovno rv "
      + "sebastopol sm sumy te ternopil uz uzhgorod vinnica vn volyn yalta zaporizhzhe zp zt",
    "uk: ltd me nhs plc police sch", "us: dni fed isa kids nsn", "uy: gub", "ve: info web",
    "vn: biz health info int name pro",
    "za: agric alt law ngo nic nis school tm web", "arpa: in-addr ip6 uri urn home",
  ]

  static let states = """
    ak al ar as az ca co ct dc de fl ga gu hi ia id il in ks ky la ma md me mi mn mo ms mt nc nd ne nh nj nm nv ny oh ok or pa
    pr ri sc sd tn tx ut va vi vt wa wi wv wy
    """

  static let wildcardParents =
    "ck er fk jm mm np pg sch.uk kawasaki.jp kitakyushu.jp kobe.jp nagoya.jp sapporo.jp sendai.jp "
    + "yokohama.jp nom.br"

  static let wildcardExceptions =
    "www.ck city.kawasaki.jp city.kitakyushu.jp city.kobe.jp city.nagoya.jp city.sapporo.jp "
    + "city.sendai.jp city.yokohama.jp"

  /// Dynamic DNS, hosting, code and page services, and private second levels: whoever asks gets a name below these.
  ///
  /// Content networks and cloud machines (`cloudfront.net`, `amazonaws.com`, `akamaihd.net`…) are left out on purpose: machines
  /// name what lies below them, which would look like a name generator at every visit.
  static let hosting = """
        uk.com us.com eu.com br.com cn.com de.com gr.com hu.com jpn.com ru.com sa.com za.com uk.net se.net gb.net
    in.net jp.net com.de co.nl co.no co.com us.org ae.org eu.org no-ip.biz no-ip.org no-ip.info no-ip.ca
    no-ip.co.uk no-ip.net ddns.net hopto.org hopto.me myftp.org myftp.biz zapto.org sytes.net serveftp.com
    servebeer.com serveblog.net servecounterstrike.com servegame.com servehalflife.com servehttp.com
    serveirc.com serveminecraft.net servemp3.com servepics.com servequake.com bounceme.net redirectme.net myvnc.com
    3utilities.com dyndns.org dyndns.biz dyndns.info dyndns.tv dyndns-home.com dyndns-ip.com homeip.net
    homelinux.com homelinux.org homeunix.com homeunix.org dnsalias.com dnsalias.net dnsalias.org dnsdojo.com
    dnsdojo.net dnsdojo.org getmyip.com gotdns.com gotdns.org is-a-geek.com is-a-geek.net is-a-geek.org
    kicks-ass.net kicks-ass.org selfip.com selfip.net selfip.org selfip.biz selfip.info ath.cx mine.nu
    podzone.net podzone.org scrapping.cc webhop.biz webhop.info webhop.net webhop.org blogdns.com blogdns.net
    duckdns.org dynu.net dynv6.net afraid.org chickenkiller.com mooo.com strangled.net us.to 3322.org 8866.org
    6600.org 7766.org 8800.org 2288.org 9966.org changeip.org ddns.info ddns.me ddnsking.com dns04.com
    dynamic-dns.net sinip.es estr.es notengodominio.com ngrok.io ngrok-free.app ngrok.app trycloudflare.com
    loca.lt localto.net serveo.net myfritz.net synology.me dsmynas.com myqnapcloud.com spdns.de selfhost.eu
    goip.de blogspot.com wordpress.com github.io githubusercontent.com gitlab.io bitbucket.io herokuapp.com
    appspot.com web.app firebaseapp.com netlify.app netlify.com vercel.app now.sh pages.dev workers.dev
    fly.dev onrender.com glitch.me repl.co surge.sh azurewebsites.net elasticbeanstalk.com wixsite.com
    weebly.com myshopify.com tumblr.com readthedocs.io altervista.org 000webhostapp.com
    """
}
