-- wrk -s wrk.lua URL -- CONNECTIONS: no Lua runs while wrk measures; at the end it prints lines of
-- KEY=VALUE, and /proc/stat of before and after. -1: not known.
--
-- wrk "corrects" its latencies for coordinated omission: with e = runtime / (requests / connections)
-- it adds to each bucket m > e what bucket m + e holds. Such figures belong to a load that nobody
-- offered, and break Little's law. Taking that away again gives the latencies as measured:
-- raw[m] = seen[m] - seen[m + e].

local COST_MAX = 1e9 -- Reading a bucket costs wrk a scan of all below it. About a second.

local threads = {}

local function stat(tag)
   for line in io.lines("/proc/stat") do
      if line:match("^cpu%d") then
         io.write(tag, " ", line, "\n")
      end
   end
end

function setup(thread)
   if #threads == 0 then stat("before") end
   table.insert(threads, thread)
end

function init(args)
   connections = tonumber(args[1])
end

-- The buckets in rising order, as far as COST_MAX allows: values, counts by value, all of them?
local function buckets(latency)
   local values, seen, cost = {}, {}, 0
   for i = 1, #latency do
      local value, count = latency(i)
      values[i], seen[value] = value, count
      cost = cost + value - latency.min
      if cost > COST_MAX then return values, seen, false end
   end
   return values, seen, true
end

-- Mean and percentiles as measured.
local function measured(latency, requests, e, wanted)
   local values, seen, complete = buckets(latency)
   local last = values[#values] or 0
   local total, sum, next = 0, 0, 1
   local result = {mean = -1}
   for p in ipairs(wanted) do result[p] = -1 end
   for _, v in ipairs(values) do
      if v > e and not complete and v + e > last then break end
      local raw = seen[v] - (v > e and seen[v + e] or 0)
      total, sum = total + raw, sum + raw * v
      while next <= #wanted and total >= requests * wanted[next] / 100 do
         result[next] = v
         next = next + 1
      end
   end
   if complete and total > 0 then result.mean = sum / total end
   return result
end

function done(summary, latency)
   stat("after")
   local cpu = os.clock() -- Of all threads, before the work below.
   local per_connection = math.floor(summary.requests / threads[1]:get("connections"))
   -- Fewer requests than connections: nothing was corrected.
   local e = per_connection > 0 and math.floor(summary.duration / per_connection) or math.huge
   local m = measured(latency, summary.requests, e, {50, 90, 99, 99.9})
   local errors = summary.errors
   io.write(string.format(
      "requests=%d\nus=%d\nbytes=%d\nwrk_cpu_s=%.3f\n" ..
      "mean_us=%.1f\np50_us=%d\np90_us=%d\np99_us=%d\np999_us=%d\nmax_us=%d\n" ..
      "connect_errors=%d\nread_errors=%d\nwrite_errors=%d\ntimeouts=%d\nstatus_errors=%d\n",
      summary.requests, summary.duration, summary.bytes, cpu,
      m.mean, m[1], m[2], m[3], m[4], latency.max,
      errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
