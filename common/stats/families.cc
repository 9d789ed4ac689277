#include "common/stats/families.h"

#include <array>
#include <cstddef>

#include "common/base/panic.h"

namespace holdfast::stats {
namespace {

constexpr auto kC = Type::kCounter;
constexpr auto kG = Type::kGauge;
constexpr auto kH = Type::kHistogram;

constexpr Family kFamilies[] = {
    {"holdfast_build_info", kG, "version", "Always 1; its label says which version this is"},
    {"holdfast_daemon_up", kG, "daemon, worker", "1 while the process runs and is ready, else 0"},
    {"holdfast_daemon_restarts_total", kC, "daemon, worker", "Starts after deaths that nobody asked for"},

    {"holdfast_smtpd_clients", kG, "", "Clients that are connected now"},
    {"holdfast_smtpd_stressed_workers", kG, "", "Workers that shorten time-outs since they are nearly full"},
    {"holdfast_smtpd_connections_total", kC, "", "Clients that connected, those turned away included"},
    {"holdfast_smtpd_tls_sessions_total", kC, "", "Connections of clients that STARTTLS secured"},
    {"holdfast_smtpd_early_talkers_total", kC, "", "Clients refused since they spoke before their turn"},
    {"holdfast_smtpd_limited_total", kC, "what (connection, message, recipient, kept)",
     "Refused by a limit on clients; kept is a recipient of whose mail enough is kept"},
    {"holdfast_smtpd_received_bytes_total", kC, "", "Octets of messages that came whole"},
    {"holdfast_smtpd_proxied_bytes_total", kC, "", "Octets of messages that the destination took in the client's session"},
    {"holdfast_smtpd_kept_bytes_total", kC, "", "Octets of messages that were spooled"},
    {"holdfast_smtpd_messages_total", kC, "result (proxied, kept, refused, deferred)",
     "Messages that came whole, by what became of them; deferred is a 4xx to the dot"},
    {"holdfast_smtpd_recipients_total", kC, "result (live, kept)",
     "Recipients accepted: by the destination itself, or by us in its stead"},
    {"holdfast_smtpd_filtered_total", kC, "result (refused, discarded, held)",
     "Messages and recipients that a filter refused, and messages that one discarded or had us hold"},
    {"holdfast_smtpd_unfiltered_total", kC, "", "Messages taken without asking filters, since their destination was down or an admin said so"},
    {"holdfast_smtpd_copies_total", kC, "", "Emergency copies made while the destination of their original was down (while_down.copy)"},
    {"holdfast_smtpd_lists_total", kC, "result (allowed, client, helo, sender, recipient)",
     "Recipients that an entry of a list allowed, or refused by the list of that kind"},
    {"holdfast_smtpd_dnsbl_blocked_total", kC, "", "Recipients refused since DNS block lists have their client"},
    {"holdfast_smtpd_dnsbl_failed_total", kC, "", "Questions to DNS block lists that were not answered in time; they weigh nothing"},
    {"holdfast_smtpd_greylist_total", kC, "result (put_off, passed, known, failed)",
     "Recipients that greylisting put off, let pass when they came again, knew already, or let pass since its database failed"},
    {"holdfast_smtpd_refusals_total", kC,
     "severity (temporary, permanent), class (other, address, mailbox, system, network, protocol, content, policy)",
     "Refusals of connections, senders, recipients and messages, ours and the destination's, by the class of RFC 3463"},
    {"holdfast_smtpd_proxy_seconds", kH, "", "From the client's dot to the destination's answer, of proxied messages"},
    {"holdfast_smtpd_keep_seconds", kH, "", "From the client's dot until the message was durable, of kept ones"},

    {"holdfast_deliver_attempts_total", kC, "", "Attempts to hand a queued message over"},
    {"holdfast_deliver_recipients_total", kC, "result (sent, deferred, refused)", "Recipients of those attempts, by what came of them"},
    {"holdfast_deliver_sent_bytes_total", kC, "", "Octets of queued messages that at least one recipient got"},
    {"holdfast_deliver_connections_lost_total", kC, "", "Attempts that lost their connection while the message was being handed over"},
    {"holdfast_deliver_damaged_total", kC, "", "Attempts that found a record damaged in the spool"},
    {"holdfast_deliver_rescans_total", kC, "result (passed, held, deferred)",
     "Attempts before which filters were asked about mail that had skipped them in an emergency"},
    {"holdfast_deliver_seconds", kH, "", "How long an attempt took, its wait for a connection included"},

    {"holdfast_queue_messages", kG, "state (active, deferred, held, frozen)", "Messages in the queue"},
    {"holdfast_queue_bytes", kG, "", "Octets of all queued messages"},
    {"holdfast_queue_oldest_seconds", kG, "", "Age of the oldest queued message; absent while the queue is empty"},
    {"holdfast_queue_destination_messages", kG, "destination, state (deferred, held, frozen)",
     "Messages in the queue for a destination; those that are under way are among the deferred"},
    {"holdfast_queue_destination_bytes", kG, "destination", "Octets of the messages in the queue for a destination"},
    {"holdfast_queue_domain_messages", kG, "domain", "Messages in the queue with a recipient in a domain"},

    {"holdfast_qmgr_indexed_total", kC, "", "Spooled messages that came into the queue"},
    {"holdfast_qmgr_removed_total", kC, "", "Messages that left the queue, every recipient being dealt with"},
    {"holdfast_qmgr_expired_total", kC, "", "Messages given up since their time was over"},
    {"holdfast_qmgr_frozen_total", kC, "", "Undeliverable bounces and other mail of nobody that were frozen"},
    {"holdfast_qmgr_discarded_total", kC, "", "Frozen messages that were thrown away, as the configuration says"},
    {"holdfast_qmgr_reports_total", kC, "kind (failure, delay, suppressed)",
     "Reports to senders put into the queue; suppressed is one that somebody was owed and nobody got"},
    {"holdfast_qmgr_possible_duplicates_total", kC, "", "Messages whose answer to the dot was lost: the destination may have them twice"},
    {"holdfast_qmgr_drains_total", kC, "event (failed, braked, canary_accepted)",
     "What happened while queued mail was handed over after an outage; braked is a stop since the destination refused too much"},

    {"holdfast_destination_up", kG, "destination", "1 while it is up or draining, 0 while it is down or paused"},
    {"holdfast_destination_state", kG, "destination, state (up, down, draining, paused)", "1 for the state it is in, 0 for the others"},
    {"holdfast_destination_state_since_seconds", kG, "destination", "When that state began, in seconds since 1970"},
    {"holdfast_destination_answers_total", kC, "destination, daemon (smtpd, deliver), result (accepted, deferred, refused, failed)",
     "Messages offered to a destination, live by smtpd or from the queue by deliver, by the best that a recipient heard; failed is a connection that could not be had or broke; past 63 destinations of a process the rest are (others)"},
    {"holdfast_destination_answer_seconds", kH, "destination, daemon (smtpd, deliver)",
     "How long those answers took: from the content's first octet that was sent, or a whole attempt with its wait for a connection"},
    {"holdfast_domain_coverage_ratio", kG, "domain", "What share of a domain's mail would be kept if its server died now, 0 to 1"},
    {"holdfast_prober_probes_total", kC, "result (passed, failed)", "Probes of servers"},
    {"holdfast_prober_state_changes_total", kC, "state (up, down, draining, paused)",
     "Changes of destinations to a state; the first after a start of the prober is none"},
    {"holdfast_prober_accepted_recipients_total", kC, "", "Acceptances of recipients that smtpd has reported"},

    {"holdfast_spool_free_bytes", kG, "", "Room in the spool's file system"},
    {"holdfast_spool_free_ratio", kG, "", "The same as a share of the file system, 0 to 1"},
    {"holdfast_spool_accepting", kG, "", "0 while mail is refused since the room is under the reserve"},
    {"holdfast_storage_sync_seconds", kH, "daemon", "How long it took to make a batch of spooled messages durable"},
    {"holdfast_storage_commits_total", kC, "daemon", "Batches committed to an LMDB environment"},
    {"holdfast_storage_commits_failed_total", kC, "daemon", "Batches that could not be committed, and were tried again"},
    {"holdfast_storage_commit_seconds", kH, "daemon", "How long such a commit took, its operations included"},
};

#define HOLDFAST_SERIES(daemon, family, labels) {daemon, family, labels, family "{" labels "}"}
#define HOLDFAST_PLAIN(daemon, family) {daemon, family, "", family}

// In the order of Counter.
constexpr Series kCounterSeries[] = {
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_connections_total"),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_tls_sessions_total"),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_early_talkers_total"),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_limited_total", "what=\"connection\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_limited_total", "what=\"message\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_limited_total", "what=\"recipient\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_limited_total", "what=\"kept\""),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_received_bytes_total"),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_proxied_bytes_total"),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_kept_bytes_total"),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_messages_total", "result=\"proxied\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_messages_total", "result=\"kept\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_messages_total", "result=\"refused\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_messages_total", "result=\"deferred\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_recipients_total", "result=\"live\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_recipients_total", "result=\"kept\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_filtered_total", "result=\"refused\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_filtered_total", "result=\"discarded\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_filtered_total", "result=\"held\""),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_unfiltered_total"),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_copies_total"),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_lists_total", "result=\"allowed\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_lists_total", "result=\"client\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_lists_total", "result=\"helo\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_lists_total", "result=\"sender\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_lists_total", "result=\"recipient\""),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_dnsbl_blocked_total"),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_dnsbl_failed_total"),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_greylist_total", "result=\"put_off\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_greylist_total", "result=\"passed\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_greylist_total", "result=\"known\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_greylist_total", "result=\"failed\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"other\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"address\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"mailbox\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"system\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"network\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"protocol\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"content\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"temporary\",class=\"policy\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"other\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"address\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"mailbox\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"system\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"network\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"protocol\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"content\""),
    HOLDFAST_SERIES("smtpd", "holdfast_smtpd_refusals_total", "severity=\"permanent\",class=\"policy\""),
    HOLDFAST_PLAIN("deliver", "holdfast_deliver_attempts_total"),
    HOLDFAST_PLAIN("deliver", "holdfast_deliver_sent_bytes_total"),
    HOLDFAST_SERIES("deliver", "holdfast_deliver_recipients_total", "result=\"sent\""),
    HOLDFAST_SERIES("deliver", "holdfast_deliver_recipients_total", "result=\"deferred\""),
    HOLDFAST_SERIES("deliver", "holdfast_deliver_recipients_total", "result=\"refused\""),
    HOLDFAST_PLAIN("deliver", "holdfast_deliver_connections_lost_total"),
    HOLDFAST_PLAIN("deliver", "holdfast_deliver_damaged_total"),
    HOLDFAST_SERIES("deliver", "holdfast_deliver_rescans_total", "result=\"passed\""),
    HOLDFAST_SERIES("deliver", "holdfast_deliver_rescans_total", "result=\"held\""),
    HOLDFAST_SERIES("deliver", "holdfast_deliver_rescans_total", "result=\"deferred\""),
    HOLDFAST_PLAIN("qmgr", "holdfast_qmgr_indexed_total"),
    HOLDFAST_PLAIN("qmgr", "holdfast_qmgr_removed_total"),
    HOLDFAST_PLAIN("qmgr", "holdfast_qmgr_expired_total"),
    HOLDFAST_PLAIN("qmgr", "holdfast_qmgr_frozen_total"),
    HOLDFAST_PLAIN("qmgr", "holdfast_qmgr_discarded_total"),
    HOLDFAST_SERIES("qmgr", "holdfast_qmgr_reports_total", "kind=\"failure\""),
    HOLDFAST_SERIES("qmgr", "holdfast_qmgr_reports_total", "kind=\"delay\""),
    HOLDFAST_SERIES("qmgr", "holdfast_qmgr_reports_total", "kind=\"suppressed\""),
    HOLDFAST_PLAIN("qmgr", "holdfast_qmgr_possible_duplicates_total"),
    HOLDFAST_SERIES("qmgr", "holdfast_qmgr_drains_total", "event=\"failed\""),
    HOLDFAST_SERIES("qmgr", "holdfast_qmgr_drains_total", "event=\"braked\""),
    HOLDFAST_SERIES("qmgr", "holdfast_qmgr_drains_total", "event=\"canary_accepted\""),
    HOLDFAST_SERIES("prober", "holdfast_prober_probes_total", "result=\"passed\""),
    HOLDFAST_SERIES("prober", "holdfast_prober_probes_total", "result=\"failed\""),
    HOLDFAST_SERIES("prober", "holdfast_prober_state_changes_total", "state=\"up\""),
    HOLDFAST_SERIES("prober", "holdfast_prober_state_changes_total", "state=\"down\""),
    HOLDFAST_SERIES("prober", "holdfast_prober_state_changes_total", "state=\"draining\""),
    HOLDFAST_SERIES("prober", "holdfast_prober_state_changes_total", "state=\"paused\""),
    HOLDFAST_PLAIN("prober", "holdfast_prober_accepted_recipients_total"),
    HOLDFAST_PLAIN("", "holdfast_storage_commits_total"),
    HOLDFAST_PLAIN("", "holdfast_storage_commits_failed_total"),
};
static_assert(std::size(kCounterSeries) == kCounters);

// In the order of Histogram.
constexpr Series kHistogramSeries[] = {
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_proxy_seconds"),
    HOLDFAST_PLAIN("smtpd", "holdfast_smtpd_keep_seconds"),
    HOLDFAST_PLAIN("deliver", "holdfast_deliver_seconds"),
    HOLDFAST_PLAIN("", "holdfast_storage_sync_seconds"),
    HOLDFAST_PLAIN("", "holdfast_storage_commit_seconds"),
};
static_assert(std::size(kHistogramSeries) == kHistograms);

#undef HOLDFAST_SERIES
#undef HOLDFAST_PLAIN

}  // namespace

std::string_view to_text(Type type) {
  switch (type) {
    case Type::kCounter: return "counter";
    case Type::kGauge: return "gauge";
    case Type::kHistogram: return "histogram";
  }
  base::panic("a type of metric that is none");
}

std::span<const Family> families() { return kFamilies; }

const Family& family(std::string_view name) {
  for (const Family& one : kFamilies) {
    if (one.name == name) return one;
  }
  base::panic("a metric that is in no table");
}

const Series& series(Counter counter) { return kCounterSeries[static_cast<std::size_t>(counter)]; }
const Series& series(Histogram histogram) { return kHistogramSeries[static_cast<std::size_t>(histogram)]; }

}  // namespace holdfast::stats
