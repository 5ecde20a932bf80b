import { CLUSTER, dashboard } from "./panel";

const ON = 'cluster=~"$cluster"';

/** The machines of the clusters. */
export const nodes = dashboard({
  uid: "homelab-nodes",
  title: "Homelab / machines",
  variables: [CLUSTER],
  panels: [
    {
      title: "CPU by what it does",
      unit: "percentunit",
      query: `avg by (cluster, instance, mode) (rate(node_cpu_seconds_total{mode!="idle", ${ON}}[5m]))`,
      legend: "{{cluster}} {{instance}} {{mode}}",
    },
    {
      title: "Load of each processor",
      query: `node_load5{${ON}} / count by (cluster, instance) (node_cpu_seconds_total{mode="idle", ${ON}})`,
      legend: "{{cluster}} {{instance}}",
    },
    { title: "Memory that is free", unit: "bytes", query: `node_memory_MemAvailable_bytes{${ON}}`, legend: "{{cluster}} {{instance}}" },
    {
      title: "Waiting for memory and disks",
      unit: "percentunit",
      query: `rate(node_pressure_memory_waiting_seconds_total{${ON}}[5m])`,
      legend: "{{cluster}} {{instance}} memory",
      more: [{ query: `rate(node_pressure_io_waiting_seconds_total{${ON}}[5m])`, legend: "{{cluster}} {{instance}} disks" }],
    },
    {
      title: "Disk read and written",
      unit: "Bps",
      query: `sum by (cluster, instance) (rate(node_disk_read_bytes_total{${ON}}[5m]))`,
      legend: "{{cluster}} {{instance}} read",
      more: [{ query: `sum by (cluster, instance) (rate(node_disk_written_bytes_total{${ON}}[5m]))`, legend: "{{cluster}} {{instance}} written" }],
    },
    {
      title: "Disk that is free",
      unit: "bytes",
      query: `node_filesystem_avail_bytes{fstype=~"ext4|xfs", ${ON}}`,
      legend: "{{cluster}} {{instance}} {{mountpoint}}",
    },
    {
      title: "Network sent",
      unit: "Bps",
      query: `sum by (cluster, instance) (rate(node_network_transmit_bytes_total{device!~"lo|veth.*|cni.*|flannel.*", ${ON}}[5m]))`,
      legend: "{{cluster}} {{instance}}",
    },
    { title: "Running since", unit: "s", query: `node_time_seconds{${ON}} - node_boot_time_seconds{${ON}}`, legend: "{{cluster}} {{instance}}" },
  ],
});
