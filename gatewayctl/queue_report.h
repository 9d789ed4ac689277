// How messages of the queue are shown: our table, Postfix's layouts, JSON. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "common/mail/envelope.h"
#include "common/storage/queue_index.h"
#include "gatewayctl/table.h"

namespace holdfast::gatewayctl {

// "active", or the state of the index.
std::string queue_name(const storage::Listed& item, const std::set<mail::QueueId>& active);

// One line as postqueue -j writes it, with our fields behind (design.md section 7). The null sender is
// MAILER-DAEMON, as there. Nothing expires yet: `expires` is null.
std::string queue_json(const storage::Listed& item, const std::set<mail::QueueId>& active);

Table queue_table();
void add_to(Table& table, const storage::Listed& item, const std::set<mail::QueueId>& active, std::int64_t now_ms);

// Postfix's mailq: * is active, ! is held.
std::string mailq_head();
std::string mailq_entry(const storage::Listed& item, const std::set<mail::QueueId>& active);
std::string mailq_foot(std::uint64_t messages, std::uint64_t bytes);

// `queue show`. The envelope is null when the record could not be read.
std::string message_text(const storage::Listed& item, const std::set<mail::QueueId>& active, const mail::Envelope* envelope,
                         std::int64_t now_ms);
std::string message_json(const storage::Listed& item, const std::set<mail::QueueId>& active, const mail::Envelope* envelope);

}  // namespace holdfast::gatewayctl
