// What every byte of a session passes through: lines, replies, the dots of content.
#include <string>

#include <benchmark/benchmark.h>

#include "bench/micro/mail.h"
#include "common/mail/wire_format.h"
#include "common/smtp/data_decoder.h"
#include "common/smtp/line_reader.h"
#include "common/smtp/reply_parser.h"

namespace holdfast {
namespace {

void per_byte(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

// The commands of one message, as they come: pipelined, or one at a time.
void commands(benchmark::State& state, bool pipelined) {
  const std::vector<std::string> lines{"EHLO client.example.test\r\n", "MAIL FROM:<sender@client.example.test> SIZE=4096\r\n",
                                       "RCPT TO:<recipient@example.test>\r\n", "DATA\r\n", "QUIT\r\n"};
  std::string all;
  for (const auto& line : lines) all += line;
  smtp::LineReader reader(2048, smtp::LineReader::Mode::kStrict);
  const auto drain = [&] {
    while (auto line = reader.next()) benchmark::DoNotOptimize(line->text.data());
  };
  for (auto _ : state) {
    if (pipelined) reader.append(all);
    for (const auto& line : lines) {
      if (!pipelined) reader.append(line);
      drain();
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}
BENCHMARK_CAPTURE(commands, one_at_a_time, false);
BENCHMARK_CAPTURE(commands, pipelined, true);

// Content as it comes from the wire, in pieces of what one recv() gives.
void data_decoder(benchmark::State& state, bench::Body body) {
  const std::string content = bench::content(4096, body) + ".\r\n";
  const auto piece = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    smtp::DataDecoder decoder(smtp::BareNewline::kReject);
    for (std::size_t at = 0; at < content.size(); at += piece) {
      std::string_view in = std::string_view(content).substr(at, piece);
      while (auto out = decoder.next(in)) benchmark::DoNotOptimize(out->data());
    }
  }
  per_byte(state, content.size());
}
BENCHMARK_CAPTURE(data_decoder, text, bench::Body::kText)->Arg(65536)->Arg(1448);
BENCHMARK_CAPTURE(data_decoder, short_lines, bench::Body::kShortLines)->Arg(65536);
BENCHMARK_CAPTURE(data_decoder, dots, bench::Body::kDots)->Arg(65536);

void from_wire(benchmark::State& state, bench::Body body) {
  const std::string content = bench::content(4096, body);
  for (auto _ : state) benchmark::DoNotOptimize(mail::from_wire(content));
  per_byte(state, content.size());
}
BENCHMARK_CAPTURE(from_wire, text, bench::Body::kText);
BENCHMARK_CAPTURE(from_wire, dots, bench::Body::kDots);

void to_wire(benchmark::State& state, bench::Body body) {
  const std::string plain = mail::from_wire(bench::content(4096, body));
  for (auto _ : state) {
    mail::WireEncoder encoder;
    benchmark::DoNotOptimize(encoder.take(plain));
    benchmark::DoNotOptimize(encoder.finish());
  }
  per_byte(state, plain.size());
}
BENCHMARK_CAPTURE(to_wire, text, bench::Body::kText);
BENCHMARK_CAPTURE(to_wire, dots, bench::Body::kDots);

void reply_parser(benchmark::State& state, const std::vector<std::string>& lines) {
  smtp::ReplyParser parser;
  for (auto _ : state) {
    for (const auto& line : lines) benchmark::DoNotOptimize(parser.line(line, line.size() + 2));
    auto reply = parser.take();
    smtp::split_enhanced(reply);
    benchmark::DoNotOptimize(reply);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(reply_parser, ok, std::vector<std::string>{"250 2.1.0 Ok"});
BENCHMARK_CAPTURE(reply_parser, ehlo, (std::vector<std::string>{"250-mail.example.test", "250-PIPELINING", "250-SIZE 52428800",
                                                               "250-8BITMIME", "250-STARTTLS", "250 ENHANCEDSTATUSCODES"}));

}  // namespace
}  // namespace holdfast
