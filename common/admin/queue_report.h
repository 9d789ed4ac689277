// How messages of the queue are shown: our table, Postfix's layouts, JSON. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "common/storage/queue_index.h"
#include "common/admin/message_look.h"
#include "common/admin/table.h"

namespace holdfast::admin {

// What is true of the moment and not of a message.
struct Moment {
  std::int64_t now_ms = 0;
  std::set<mail::QueueId> active;  // handed to deliver just now
  // Destinations to which nothing is sent at present, and why: "office is down: connect: connection refused".
  std::map<std::string, std::string> shut;
};

// "active", or the state of the index.
std::string queue_name(const storage::Listed& item, const Moment& moment);

// One line as postqueue -j writes it, with our fields behind (design.md section 7). The null sender is
// MAILER-DAEMON, as there. A message whose destination is shut has no next attempt: it goes when that is back.
// `expires` is when it ends by itself: given up while it waits, deleted while it is frozen; null for held mail.
std::string queue_json(const storage::Listed& item, const Moment& moment);

Table queue_table();
void add_to(Table& table, const storage::Listed& item, const Moment& moment);

// Postfix's mailq: * is active, ! is held.
std::string mailq_head();
std::string mailq_entry(const storage::Listed& item, const Moment& moment);
std::string mailq_foot(std::uint64_t messages, std::uint64_t bytes);

// `queue show`. `told` is null when the record could not be read.
std::string message_text(const storage::Listed& item, const Moment& moment, const RecordTold* told);
std::string message_json(const storage::Listed& item, const Moment& moment, const RecordTold* told);

}  // namespace holdfast::admin
