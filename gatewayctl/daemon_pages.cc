#include "gatewayctl/daemon_pages.h"

#include <array>

namespace holdfast::gatewayctl {
namespace {

constexpr std::array<DaemonPage, 8> kPages{{
    {"master", "starts and supervises the mail gateway",
     R"(Checks the configuration, makes the folders, binds every listening socket, starts the daemons and hands them their
sockets, certificates, keys and passwords. A daemon that dies is started again, after a wait that grows from 100 ms to 30 s;
the others go on. It stays in the foreground, and tells systemd when the gateway is ready.

Started by root, it is the only process with privileges: the daemons run as the account of the setting `user`. Started by
another account, all of them run as that one.

## Options

| | |
|---|---|
| `--config FILE` | the configuration; /etc/holdfast/gateway.yaml unless given |
| `--check` | say whether it is good, and end |
| `--help` | the words it takes |

## Signals

| | |
|---|---|
| `SIGHUP` | read the configuration again, and reopen the logs; one that is not good leaves the running one in force |
| `SIGTERM`, `SIGINT` | end the daemons in order, within 10 s; a second one kills those that still run |

## Exit codes

0 ended when told to; 64 wrong words; 69 an address is taken, or another master runs with this folder; 77 no permission;
78 the configuration is not good. Before the first daemon runs, what went wrong is on standard error, then in the log.

## Files

| | |
|---|---|
| `/etc/holdfast/gateway.yaml` | the configuration; beside it `conf.d` and `domains.d` |
| `/var/spool/holdfast` | kept mail and the queue's index |
| `/var/lib/holdfast` | what is known of destinations and recipients; the counter of writer numbers |
| `/run/holdfast` | sockets, locks, and the configuration in force |
| `/var/log/holdfast` | a log a program, in Postfix's shape |
)"},
    {"prober", "finds out whether mail servers are up, and whom they accept",
     R"(Looks at each server in its interval, and every 5 s after a failure; decides whether a destination is up, down, draining or
paused; keeps the directory of known recipients, and asks by itself before one is forgotten. While it is dead the directory is
used as it was last written.)"},
    {"qmgr", "keeps the queue of the mail gateway",
     R"(Indexes what smtpd has written to disk, gives it to deliver when it is due, drains the queue when a destination is back,
expires messages, and writes bounces and delay warnings. While it is dead smtpd still takes and keeps mail, and qmgr finds it
when it is back.)"},
    {"deliver", "hands kept mail over",
     R"(The SMTP and LMTP client for mail from the queue: one process a processor core, several sessions a destination, kept
open. Each outcome is kept until qmgr says that it is on disk.)"},
    {"smtpd", "speaks SMTP with the world",
     R"(Takes mail: one process a processor core, all serving the same sockets. While the destination of a recipient is up, mail
goes to it in the sender's own session and its own words go back; while it is down, mail for known recipients is written to
disk before it is answered 250, and other mail is refused for now.)"},
    {"alertd", "tells the admin what has happened",
     R"(Turns events, such as a destination that is down, into mail, webhooks or commands, by roads that do not need the server
that is down; repeats them, and tells when all is well again. Alerts that could not be sent are kept and tried again.)"},
    {"webd", "the dashboard, the REST interface and the metrics",
     R"(Serves the pages for admins, /api/v1, /metrics for Prometheus and /healthz, and keeps the history of figures. It listens
on the loopback address unless it is told otherwise, and on another address only with TLS and users.)"},
    {"filter", "looks for unwanted attachments and links in mail",
     R"(Speaks milter on filter/socket in the run folder, when `content_filter.enabled` is set; smtpd asks it where `filters` names
the milter `holdfast`. It can open nothing but the configuration, and connect to nobody. Its program is holdfast-filter;
`holdfast-filter --check FILE` says what it would find in a message.)"},
}};

constexpr std::array<ToolPage, 2> kTools{{
    {"holdfast-import", "makes a gateway.yaml of another mail system's configuration",
     "`holdfast-import` `postfix` | `exim` [`--output` FILE] [`--recipients` FOLDER] [`--domains` NAME] [FILE | `-`]",
     R"(Reads what Postfix or Exim relays, and where to, and writes a configuration for Holdfast. Nothing is changed there. What
only the admin can know is a line that begins with CHECK; what could not be taken over, with the reason, stands at the end.

- `postfix` reads main.cf, or what `postconf -n` prints, and the tables that it names: relay_domains, transport_maps,
  relay_recipient_maps, relayhost, relay_transport, and some settings. Tables of the kinds hash, btree, lmdb, cdb, dbm and
  texthash are read as the text that postmap was given; inline and static are known too; others (regexp, pcre, ldap,
  mysql ...) are named as not taken over.
- `exim` reads Exim's file with its macros, .ifdef and .include, the domainlist that is relayed, and the routers manualroute
  and dnslookup, where nothing but the domain decides.

## Options

| | |
|---|---|
| `--output FILE` | write into this file, which must not be there yet; standard output unless given |
| `--recipients FOLDER` | write long lists of recipients into files in this folder |
| `--domains NAME` | Exim: the domainlist that is relayed; relay_to_domains unless given |

## Exit codes

0 done; 64 wrong words, or a file that is there already; 65 the configuration cannot be understood; 67 there is no such file;
77 no permission.

## Examples

    holdfast-import postfix --recipients /etc/holdfast/recipients --output /etc/holdfast/gateway.yaml.new
    postconf -n | ssh gateway holdfast-import postfix - >gateway.yaml
)"},
    {"holdfast-ldap", "brings recipients from an LDAP directory",
     "`holdfast-ldap` `--uri` URI `--base` DN [OPTION ...]",
     R"(Searches a directory and prints the mail addresses it finds, one a line, for `gatewayctl rcpt import`.

## Options

| | |
|---|---|
| `--uri URI` | ldaps://HOST or ldap://HOST[:PORT] |
| `--base DN` | where to search, and below: dc=example,dc=org |
| `--starttls` | secure ldap:// before anything is said |
| `--ca-file FILE` | whom the server's certificate must come from, else the system's |
| `--bind DN` | who asks, else nobody (anonymous) |
| `--password-file FILE` | a file with the password in its first line |
| `--filter FILTER` | of entries |
| `--attribute NAME` | that holds addresses; may be given again |
| `--page NUMBER` | entries a question; less where the server allows less |
| `--timeout SECONDS` | for each answer |

## Example

    holdfast-ldap --uri ldaps://dc.example.org --base dc=example,dc=org | gatewayctl rcpt import --format csv -
)"},
}};

}  // namespace

std::span<const ToolPage> tool_pages() { return kTools; }

std::span<const DaemonPage> daemon_pages() { return kPages; }

}  // namespace holdfast::gatewayctl
