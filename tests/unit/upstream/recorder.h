// Handlers that write down what they are told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/upstream/connection.h"

namespace holdfast::test {

struct Recorder : upstream::ConnectionHandler {
  void on_ready() override { events.push_back("ready"); }
  void on_mail(const mail::Reply& r) override { events.push_back("mail " + std::to_string(r.code)); }
  void on_rcpt(const mail::Reply& r) override { events.push_back("rcpt " + std::to_string(r.code)); }
  void on_data_refused(const mail::Reply& r) override { events.push_back("data " + std::to_string(r.code)); }
  void on_sent(const mail::Reply& r) override { events.push_back("sent " + std::to_string(r.code)); }
  void on_reset(const mail::Reply& r) override { events.push_back("reset " + std::to_string(r.code)); }
  void on_failed(const upstream::Failure& f) override {
    events.push_back("failed");
    failure = f;
  }
  bool saw(const std::string& event) const {
    for (const auto& e : events) {
      if (e == event) return true;
    }
    return false;
  }

  std::vector<std::string> events;
  std::optional<upstream::Failure> failure;
};

struct TextSource : upstream::ContentSource {
  explicit TextSource(std::string t, std::size_t p = 64 << 10) : text(std::move(t)), piece(p) {}
  base::Result<std::string_view> next() override {
    if (fail_at && at >= *fail_at) return base::fail(base::Kind::kInternal, "the disk is broken");
    const std::string_view out = std::string_view(text).substr(at, piece);
    at += out.size();
    return out;
  }

  std::string text;
  std::size_t piece, at = 0;
  std::optional<std::size_t> fail_at;
};

}  // namespace holdfast::test
