# What every pipeline manifest has to have, whoever wrote it: a step with the label “monitoring”.
# Argo Workflows (and Kubeflow Pipelines 1, which compiles to them) label the pod of a template; Kubeflow Pipelines 2 labels the pod
# of an executor in the second document that its compiler writes (kfp-kubernetes: add_pod_label).
#
#   input.documents: the documents of the manifest, in their order
package guiderail.pipelines

import rego.v1

required := {"monitoring"}

label_keys := {"guiderail.io/step", "step", "pipelines.kubeflow.org/step"}

workflows contains document if {
	some document in input.documents
	startswith(document.apiVersion, "argoproj.io/")
}

compiled contains document if {
	some document in input.documents
	document.deploymentSpec.executors
}

platforms contains document if {
	some document in input.documents
	document.platforms.kubernetes
}

# a CronWorkflow wraps the same specification once more
specs contains document.spec.workflowSpec if some document in workflows

specs contains document.spec if {
	some document in workflows
	not document.spec.workflowSpec
}

labelled contains label if {
	some spec in specs
	some template in spec.templates
	some key, label in template.metadata.labels
	key in label_keys
}

labelled contains label if {
	some document in platforms
	some executor in document.platforms.kubernetes.deploymentSpec.executors
	some key, label in executor.podMetadata.labels
	key in label_keys
}

names contains document.metadata.name if some document in workflows

names contains document.metadata.generateName if some document in workflows

names contains document.pipelineInfo.name if some document in compiled

is_pipeline if count(workflows) > 0

is_pipeline if count(compiled) > 0

deny contains message if {
	is_pipeline
	some label in required
	not label in labelled
	message := concat("", [
		concat(", ", names), " has no step with the label '", label,
		"'. Give the pod of that step the label guiderail.io/step: ", label, ".",
	])
}

deny contains "This is no pipeline manifest: neither an Argo workflow nor what the Kubeflow Pipelines compiler writes." if {
	not is_pipeline
}
