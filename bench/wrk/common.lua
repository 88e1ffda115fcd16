-- What every scenario shares: the key, unique names, and a result line that bench.run reads.
local key = os.getenv("BENCH_KEY")
local run = os.getenv("BENCH_RUN")
local count = 0
math.randomseed(os.time() + tonumber(run))

function unique()
  count = count + 1
  return run .. "-" .. count
end

function send(method, path, body, idempotent)
  local headers = { ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" }
  if idempotent then headers["Idempotency-Key"] = unique() end
  return wrk.format(method, path, headers, body)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
